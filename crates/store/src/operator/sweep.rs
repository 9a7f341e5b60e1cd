//! Words that were left to be written: of a change that had too many for its transaction, whoever made it was cut off
//! before it had written them, or there were words to take away.

use std::time::Duration;

use aws_sdk_dynamodb::types::{ConditionCheck, Delete, Put, TransactWriteItem};
use domain::{CustomerId, Timestamp};

use super::Operator;
use crate::indexed::{Indexed, Worded};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::transaction::{Refusal, Step, Transaction};
use crate::words::{self, GONE};
use crate::{StoreError, TableKind};

/// A request lasts no longer: what is younger may be under way.
pub const SWEPT_AFTER: Duration = Duration::from_secs(30);
/// So often a record is read again that changes while its words are written.
const ATTEMPTS_MAX: u32 = 10;
/// Most writes of a transaction, beside what it demands.
const WRITES_MAX: usize = 99;

impl Operator {
    /// Writes the words of all changes from before `before` that were left: of how many. What cannot be done is tried
    /// again by the next sweep, and holds nothing else up.
    pub async fn sweep_words(&self, before: Timestamp) -> Result<u64, StoreError> {
        let table = self.table_name(TableKind::Index);
        let (mut swept, mut failed) = (0, None);
        for number in 0..keys::UNINDEXED_PARTITIONS {
            let partition = keys::unindexed_partition(&self.tables().restored_as, number);
            for row in self.database.rows(table, &partition, keys::UNINDEXED_PREFIX).await? {
                match self.sweep_row(&row, before).await {
                    Ok(done) => swept += u64::from(done),
                    Err(error) => {
                        tracing::warn!(%error, "words of a record are left to the next sweep");
                        failed = Some(error);
                    }
                }
            }
        }
        failed.map_or(Ok(swept), Err)
    }

    /// Whether it was old enough to be done.
    async fn sweep_row(&self, row: &Item, before: Timestamp) -> Result<bool, StoreError> {
        let SortKey::Unindexed(left) = Fields(row).sort_key()? else { return Ok(false) };
        if left.at >= before {
            return Ok(false);
        }
        let gone = Fields(row).text(GONE).unwrap_or_default();
        let gone = gone.split(' ').filter(|it| !it.is_empty());
        let key = |start| words::key(&self.database, left.customer, left.of, start);
        let stale: Vec<Item> = gone.map(key).chain(words::left(row)).collect();
        self.index_anew(left.customer, left.of, &stale).await?;
        self.database.delete(self.table_name(TableKind::Index), left.key(self.tables())).await?;
        Ok(true)
    }

    /// Writes all items of the index that a thing has as it is now, and takes those away that it may have had and has
    /// not: each on the condition that it still is as it was read.
    async fn index_anew(
        &self,
        customer: CustomerId,
        of: Worded,
        stale: &[Item],
    ) -> Result<(), StoreError> {
        let key = items::key(&keys::customer_partition(customer), &of.thing());
        let records = self.table_name(TableKind::Records);
        for _ in 0..ATTEMPTS_MAX {
            let Some(item) = self.database.item(records, key.clone()).await? else { return Ok(()) };
            let Some(read) = Indexed::read(&item) else { return Ok(()) };
            if self.index_as_read(&read, stale).await? {
                return Ok(());
            }
        }
        Err(StoreError::Busy)
    }

    /// Whether the thing was still so.
    async fn index_as_read(&self, read: &Indexed, stale: &[Item]) -> Result<bool, StoreError> {
        let (database, table) = (&self.database, self.table_name(TableKind::Index));
        let now = words::all_items(database, read);
        let is_key_of =
            |key: &Item, it: &Item| key.iter().all(|(name, of)| it.get(name) == Some(of));
        let has = |key: &Item| now.iter().any(|it| is_key_of(key, it));
        let delete = |key: &Item| {
            let delete = Delete::builder().table_name(table).set_key(Some(key.clone()));
            let delete = delete.build().expect("table and key are set");
            TransactWriteItem::builder().delete(delete).build()
        };
        let gone: Vec<_> = stale.iter().filter(|it| !has(it)).map(delete).collect();
        let put = |item: Item| {
            let put = Put::builder().table_name(table).set_item(Some(item));
            TransactWriteItem::builder().put(put.build().expect("table and item are set")).build()
        };
        let writes: Vec<TransactWriteItem> = now.into_iter().map(put).chain(gone).collect();
        let key = items::key(&keys::customer_partition(read.customer), &read.of.thing());
        for some in writes.chunks(WRITES_MAX) {
            let check = ConditionCheck::builder()
                .table_name(self.table_name(TableKind::Records))
                .set_key(Some(key.clone()))
                .condition_expression("#version = :version")
                .expression_attribute_names("#version", items::VERSION)
                .expression_attribute_values(":version", items::number(read.version))
                .build()
                .expect("table, key and condition are set");
            let mut change = Transaction::new(database);
            change.writes.push(TransactWriteItem::builder().condition_check(check).build());
            change.writes.extend(some.iter().cloned());
            change.steps = vec![Step::List; change.writes.len()];
            match change.commit().await {
                Ok(()) => {}
                Err(Refusal::Condition { .. }) => return Ok(false),
                Err(Refusal::Store(error)) => return Err(error),
            }
        }
        Ok(true)
    }
}
