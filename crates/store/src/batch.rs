//! Reading many items by their keys, in one request where one can do.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::KeysAndAttributes;

use crate::items::{self, Item};
use crate::keys::SortKey;
use crate::transaction::backoff;
use crate::{DynamoClient, StoreError};

const ATTEMPTS_MAX: u32 = 5;

/// Up to a hundred keys, by table: DynamoDB's own limit.
#[derive(Default)]
pub(crate) struct Batch {
    tables: HashMap<String, Wanted>,
}

#[derive(Default)]
struct Wanted {
    keys: Vec<Item>,
    /// All attributes, unless some are named.
    attributes: &'static [&'static str],
    eventual: bool,
}

impl Batch {
    pub(crate) const KEYS_MAX: usize = 100;

    /// A strongly consistent read of one more item.
    pub(crate) fn add(&mut self, table: &str, partition: &str, sort: &SortKey) {
        let wanted = self.tables.entry(table.to_owned()).or_default();
        wanted.keys.push(items::key(partition, sort));
    }

    /// Some attributes of items of one table, or all where none is named.
    pub(crate) fn of(
        table: &str,
        keys: Vec<Item>,
        attributes: &'static [&'static str],
        consistent: bool,
    ) -> Self {
        let wanted = Wanted { keys, attributes, eventual: !consistent };
        Self { tables: HashMap::from([(table.to_owned(), wanted)]) }
    }

    /// Every item that is there, in no order.
    pub(crate) async fn read(self, dynamo: &DynamoClient) -> Result<Vec<Item>, StoreError> {
        let mut wanted: HashMap<String, KeysAndAttributes> =
            self.tables.into_iter().map(|(table, it)| (table, it.build())).collect();
        let mut found = Vec::new();
        for attempt in 0..ATTEMPTS_MAX {
            if attempt > 0 {
                tokio::time::sleep(backoff(attempt)).await;
            }
            let answer = dynamo
                .batch_get_item()
                .set_request_items(Some(wanted))
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            found.extend(answer.responses.unwrap_or_default().into_values().flatten());
            wanted = answer.unprocessed_keys.unwrap_or_default();
            if wanted.is_empty() {
                return Ok(found);
            }
        }
        Err(StoreError::Busy)
    }
}

impl Wanted {
    fn build(self) -> KeysAndAttributes {
        let mut built =
            KeysAndAttributes::builder().set_keys(Some(self.keys)).consistent_read(!self.eventual);
        if !self.attributes.is_empty() {
            let (projection, names) = projection(self.attributes);
            built = built.projection_expression(projection).set_expression_attribute_names(names);
        }
        built.build().expect("keys are set")
    }
}

/// A projection expression that has no trouble with reserved words, and its names.
pub(crate) fn projection(attributes: &[&'static str]) -> (String, Option<HashMap<String, String>>) {
    let short = |index: usize| format!("#a{index}");
    let expression: Vec<String> = (0..attributes.len()).map(short).collect();
    let names = attributes.iter().enumerate();
    let names = names.map(|(index, name)| (short(index), (*name).to_owned())).collect();
    (expression.join(", "), Some(names))
}
