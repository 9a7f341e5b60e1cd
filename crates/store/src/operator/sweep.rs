//! Words that were left to be written: of a change that had too many for its transaction, whoever made it was cut off
//! before it had written them, or there were words to take away.

use std::time::Duration;

use aws_sdk_dynamodb::types::{ConditionCheck, Delete, Put, TransactWriteItem};
use domain::{CustomerId, Record, RecordId, Revision, Timestamp};

use super::Operator;
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
    /// Writes the words of all changes from before `before` that were left: of how many.
    pub async fn sweep_words(&self, before: Timestamp) -> Result<u64, StoreError> {
        let table = self.table_name(TableKind::Index);
        let mut swept = 0;
        for number in 0..keys::UNINDEXED_PARTITIONS {
            let partition = keys::unindexed_partition(&self.tables().restored_as, number);
            let rows = self.database.rows(table, &partition, keys::UNINDEXED_PREFIX).await?;
            for row in rows {
                let SortKey::Unindexed(left) = Fields(&row).sort_key()? else { continue };
                if left.at >= before {
                    break;
                }
                let gone = Fields(&row).text(GONE).unwrap_or_default();
                let gone = gone.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect();
                self.write_words(left.customer, left.record, gone).await?;
                self.database.delete(table, left.key(self.tables())).await?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// Writes the words of a record as it is now, and takes those beginnings away that it may have had and has not: each
    /// on the condition that it still is as it was read.
    async fn write_words(
        &self,
        customer: CustomerId,
        id: RecordId,
        stale: Vec<String>,
    ) -> Result<(), StoreError> {
        let key = items::key(&keys::customer_partition(customer), &SortKey::Record(id));
        let records = self.table_name(TableKind::Records);
        for _ in 0..ATTEMPTS_MAX {
            let Some(item) = self.database.item(records, key.clone()).await? else { return Ok(()) };
            let Ok(revision) = items::read_revision::<Record>(&item) else { return Ok(()) };
            if self.write_words_of(customer, id, &revision, &stale).await? {
                return Ok(());
            }
        }
        Err(StoreError::Busy)
    }

    /// Whether the record was still so.
    async fn write_words_of(
        &self,
        customer: CustomerId,
        id: RecordId,
        revision: &Revision<Record>,
        stale: &[String],
    ) -> Result<bool, StoreError> {
        let database = &self.database;
        let table = self.table_name(TableKind::Index);
        let content = (!revision.deleted).then_some(&revision.content);
        let now = words::beginnings(content);
        let puts = content.into_iter().flat_map(|it| words::all_items(database, customer, id, it));
        let put = |item: Item| {
            let put = Put::builder().table_name(table).set_item(Some(item));
            TransactWriteItem::builder().put(put.build().expect("table and item are set")).build()
        };
        let delete = |start: &String| {
            let key = words::key(database, customer, id, start);
            let delete = Delete::builder().table_name(table).set_key(Some(key));
            let delete = delete.build().expect("table and key are set");
            TransactWriteItem::builder().delete(delete).build()
        };
        let gone = stale.iter().filter(|start| !now.contains_key(*start));
        let writes: Vec<TransactWriteItem> = puts.map(put).chain(gone.map(delete)).collect();
        for some in writes.chunks(WRITES_MAX) {
            let check = ConditionCheck::builder()
                .table_name(self.table_name(TableKind::Records))
                .set_key(Some(items::key(
                    &keys::customer_partition(customer),
                    &SortKey::Record(id),
                )))
                .condition_expression("#version = :version")
                .expression_attribute_names("#version", items::VERSION)
                .expression_attribute_values(":version", items::number(revision.version))
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
