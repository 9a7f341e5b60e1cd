//! How much a customer keeps: counted with each change that makes it more, in one of a few items, so that
//! writers do not wait for each other; what there was before that began is counted once.

use super::Read;
use super::reads::{FoundItems, Wanted};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::tables::met_condition;
use crate::usage::{Growth, PARTS, QUOTA, Usage};
use crate::{Customer, CustomerProfile, Store, StoreError, TableKind};

/// How much a customer keeps, and may.
pub struct UsageKey;

/// What was found of it.
#[derive(Clone, Debug)]
pub struct Standing {
    /// What the parts come to.
    counted: Growth,
    /// Whether one of them has what there was before.
    is_whole: bool,
    pub quota: Usage,
}

impl Read for UsageKey {
    type Found = Standing;

    fn ask(&self, items: &mut Wanted<'_>) {
        items.item(TableKind::Accounts, SortKey::Customer);
        sorts().for_each(|sort| items.item(TableKind::Records, sort));
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        let profile = items.thing::<CustomerProfile>(&SortKey::Customer)?.existing();
        let quota = profile.ok().and_then(|it| it.content.quota).unwrap_or(QUOTA);
        let parts = sorts().filter_map(|sort| items.item(&sort));
        let is_whole = items.item(&SortKey::Usage(PARTS)).is_some();
        Ok(Standing { counted: sum(parts), is_whole, quota })
    }
}

/// Where it is counted; the last one has what was there before.
fn sorts() -> impl Iterator<Item = SortKey> {
    (0..=PARTS).map(SortKey::Usage)
}

fn sum<'a>(parts: impl Iterator<Item = &'a Item>) -> Growth {
    let of = |item: &Item, name: &'static str| Fields(item).parse::<i64>(name).unwrap_or(0);
    let mut all = Growth::default();
    for part in parts {
        all.bytes += of(part, items::BYTES);
        all.versions += of(part, items::VERSIONS);
        all.records += of(part, items::RECORDS);
    }
    all
}

impl Standing {
    /// What is kept, where somebody has counted what there was before.
    fn used(&self) -> Option<Usage> {
        let positive = |count: i64| u64::try_from(count).unwrap_or(0);
        let Growth { bytes, versions, records } = self.counted;
        self.is_whole.then(|| Usage {
            bytes: positive(bytes),
            versions: positive(versions),
            records: positive(records),
        })
    }
}

impl Store {
    /// What a customer keeps, looked at where nobody counts it yet.
    pub async fn usage(&self, customer: &Customer, found: &Standing) -> Result<Usage, StoreError> {
        match found.used() {
            Some(used) => Ok(used),
            None => self.look_at_usage(customer).await,
        }
    }

    /// The same before a change: where nobody counts it yet, that begins, and each change counts itself.
    pub async fn counted_usage(
        &self,
        customer: &Customer,
        found: &Standing,
    ) -> Result<Usage, StoreError> {
        match found.used() {
            Some(used) => Ok(used),
            None => {
                let used = self.look_at_usage(customer).await?;
                self.note_usage(customer, used, found.counted).await?;
                Ok(used)
            }
        }
    }

    async fn look_at_usage(&self, customer: &Customer) -> Result<Usage, StoreError> {
        let mut used = Usage::default();
        for prefix in [keys::RECORD_PREFIX, keys::APPENDIX_PREFIX] {
            let mut start = None;
            loop {
                let page = self
                    .query_of(customer, prefix)
                    .set_exclusive_start_key(start)
                    .send()
                    .await
                    .map_err(StoreError::unavailable)?;
                page.items().iter().for_each(|item| count(&mut used, item));
                start = page.last_evaluated_key;
                if start.is_none() {
                    break;
                }
            }
        }
        Ok(used)
    }

    /// Notes what there was beside what is counted already, unless somebody has.
    async fn note_usage(
        &self,
        customer: &Customer,
        used: Usage,
        counted: Growth,
    ) -> Result<(), StoreError> {
        let beside = |used: u64, counted: i64| {
            items::number(i64::try_from(used).unwrap_or(i64::MAX).saturating_sub(counted))
        };
        let partition = keys::customer_partition(customer.id());
        let mut item = items::key(&partition, &SortKey::Usage(PARTS));
        item.insert(items::BYTES.to_owned(), beside(used.bytes, counted.bytes));
        item.insert(items::VERSIONS.to_owned(), beside(used.versions, counted.versions));
        item.insert(items::RECORDS.to_owned(), beside(used.records, counted.records));
        let put = self
            .database
            .dynamo
            .put_item()
            .table_name(&self.database.tables.records)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", items::PARTITION)
            .send()
            .await;
        // Somebody else may have counted at the same time.
        met_condition(put).map(drop)
    }
}

/// Adds what an item stands for. What cannot be read counts for nothing.
fn count(used: &mut Usage, item: &Item) {
    let fields = Fields(item);
    let deleted = item.contains_key(items::DELETED);
    match fields.sort_key() {
        Ok(SortKey::Record(_)) if !deleted => used.records += 1,
        Ok(SortKey::AppendixVersion(..)) => {
            used.versions += 1;
            if let Ok(version) = items::read_revision::<domain::AppendixVersion>(item) {
                used.bytes += version.content.bytes.get();
            }
        }
        _ => {}
    }
}
