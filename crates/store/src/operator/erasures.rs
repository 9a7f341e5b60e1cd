//! What customers have erased, in the ledger, which no restore puts back: a restored table learns
//! from it what has to stay erased.

use std::collections::HashMap;

use domain::{CustomerId, Timestamp, UserId};

use super::Operator;
use crate::batch::Batch;
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::transaction::Transaction;
use crate::{StoreError, WriteError};

/// One thing that was erased, whenever that was.
#[derive(Clone, Debug)]
struct Erasure {
    customer: CustomerId,
    thing: SortKey,
    by: UserId,
}

impl Operator {
    /// Erases again what was erased before and is there: after a restore to a time at which it was
    /// there still. How many things; doing it once more finds none. What cannot be read is left as
    /// it is: nobody is shown it.
    pub async fn erase_again(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut erased = 0;
        let mut start = None;
        loop {
            let page = self
                .database
                .dynamo
                .scan()
                .table_name(&self.database.tables.ledger)
                .consistent_read(true)
                .filter_expression("begins_with(#pk, :erased)")
                .expression_attribute_names("#pk", items::PARTITION)
                .expression_attribute_values(":erased", items::text(keys::ERASED_PREFIX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            let erasures =
                page.items().iter().map(read_erasure).collect::<Result<Vec<_>, StoreError>>()?;
            for some in erasures.chunks(Batch::KEYS_MAX) {
                erased += self.erase_some(some, now).await?;
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(erased);
            }
        }
    }

    async fn erase_some(&self, erasures: &[Erasure], now: Timestamp) -> Result<u64, StoreError> {
        let key = |customer: CustomerId, thing: &SortKey| {
            (keys::customer_partition(customer), thing.to_string())
        };
        let mut batch = Batch::default();
        let mut by_key = HashMap::new();
        for it in erasures {
            let table = self.table_name(it.thing.kind().home());
            batch.add(table, &keys::customer_partition(it.customer), &it.thing);
            by_key.insert(key(it.customer, &it.thing), it);
        }
        let mut erased = 0;
        for item in batch.read(&self.database.dynamo).await? {
            let fields = Fields(&item);
            let found =
                (fields.text(items::PARTITION)?.to_owned(), fields.text(items::SORT)?.into());
            let Some(erasure) = by_key.get(&found) else { continue };
            if !item.contains_key(items::DELETED) {
                erased += u64::from(self.erase(erasure, &item, now).await?);
            }
        }
        Ok(erased)
    }

    /// Of now: a revision from before the last manifest's cut that it does not have would be a fault.
    async fn erase(
        &self,
        erasure: &Erasure,
        item: &Item,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Ok(written) = items::read_written(Fields(item)) else { return Ok(false) };
        let tombstone = written.tombstone(erasure.by, now);
        let pair = items::written_pair(
            &keys::customer_partition(erasure.customer),
            &erasure.thing,
            &tombstone,
            tombstone.content.to_owned(),
        );
        let replaced = Transaction::new(&self.database).replace_pair(
            erasure.thing.kind().home(),
            &tombstone,
            pair,
        );
        match replaced.commit().await {
            Ok(()) => Ok(true),
            Err(refusal) => match WriteError::from(refusal) {
                WriteError::Store(error) => Err(error),
                // Somebody has changed it meanwhile: to be looked at again.
                _ => Err(StoreError::Busy),
            },
        }
    }
}

fn read_erasure(item: &Item) -> Result<Erasure, StoreError> {
    let fields = Fields(item);
    let customer = fields.text(items::PARTITION)?.strip_prefix(keys::ERASED_PREFIX);
    let customer = customer.and_then(|customer| customer.parse().ok());
    Ok(Erasure {
        customer: customer.ok_or_else(|| fields.damaged(items::PARTITION))?,
        thing: fields.sort_key()?,
        by: fields.parse(items::ERASED_BY)?,
    })
}
