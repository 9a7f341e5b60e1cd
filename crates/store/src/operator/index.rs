//! The index of lists, made from the records: of a service that had none, and of restored tables.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use domain::{CustomerId, Timestamp};

use super::{Operator, Segment};
use crate::batch::{Batch, projection};
use crate::index;
use crate::index::ChangeTime;
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::transaction::backoff;
use crate::{StoreError, TableKind};

/// What is read of a record.
const PLACE: [&str; 4] = [items::PARTITION, items::SORT, items::CHANGED_AT, items::DELETED];
/// Most items that DynamoDB writes in one request.
const WRITES_MAX: usize = 25;
/// So often a batch is sent again of which the table has not taken all.
const ATTEMPTS_MAX: u32 = 10;

/// Where a record stands.
type Place = (CustomerId, ChangeTime);

impl Operator {
    /// Lists every record of a segment: how many. While people work: a record that changes meanwhile is listed by
    /// its change, and what was written here of the state before is taken away again.
    pub async fn build_index(&self, segment: Segment) -> Result<u64, StoreError> {
        let number = |n: u32| i32::try_from(n).map_err(StoreError::broken);
        let (expression, names) = projection(&PLACE);
        let mut names = names.unwrap_or_default();
        names.insert("#sk".to_owned(), items::SORT.to_owned());
        let mut listed = 0;
        let mut start = None;
        loop {
            let page = self
                .database
                .dynamo
                .scan()
                .table_name(self.table_name(TableKind::Records))
                .consistent_read(true)
                .segment(number(segment.index)?)
                .total_segments(number(segment.of)?)
                .projection_expression(&expression)
                .set_expression_attribute_names(Some(names.clone()))
                .filter_expression("begins_with(#sk, :record)")
                .expression_attribute_values(":record", items::text(keys::RECORD_PREFIX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            // What cannot be read is in no list. The verification names it.
            let places: Vec<Place> = page.items().iter().filter_map(place).collect();
            for some in places.chunks(Batch::KEYS_MAX) {
                self.list(some).await?;
            }
            listed += places.len() as u64;
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(listed);
            }
        }
    }

    async fn list(&self, places: &[Place]) -> Result<(), StoreError> {
        let tables = self.tables();
        let put = |(customer, at): &Place| {
            let put = PutRequest::builder().set_item(Some(index::place(tables, *customer, *at)));
            WriteRequest::builder().put_request(put.build().expect("the item is set")).build()
        };
        self.write(places.iter().map(put).collect()).await?;
        let now = self.places_now(places).await?;
        let delete = |(customer, at): &Place| {
            let delete =
                DeleteRequest::builder().set_key(Some(index::place(tables, *customer, *at)));
            WriteRequest::builder().delete_request(delete.build().expect("the key is set")).build()
        };
        let moved = places
            .iter()
            .filter(|(customer, at)| now.get(&(*customer, at.record)).is_none_or(|now| now != at));
        self.write(moved.map(delete).collect()).await
    }

    async fn places_now(
        &self,
        places: &[Place],
    ) -> Result<HashMap<(CustomerId, domain::RecordId), ChangeTime>, StoreError> {
        let key = |(customer, at): &Place| {
            items::key(&keys::customer_partition(*customer), &SortKey::Record(at.record))
        };
        let table = self.table_name(TableKind::Records);
        let batch = Batch::of(table, places.iter().map(key).collect(), &PLACE, true);
        let found = batch.read(&self.database.dynamo).await?;
        Ok(found.iter().filter_map(place).map(|(whose, at)| ((whose, at.record), at)).collect())
    }

    async fn write(&self, mut writes: Vec<WriteRequest>) -> Result<(), StoreError> {
        let table = self.table_name(TableKind::Index);
        let mut attempt = 0;
        while !writes.is_empty() {
            let rest = writes.split_off(writes.len().min(WRITES_MAX));
            let answer = self
                .database
                .dynamo
                .batch_write_item()
                .request_items(table, writes)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            let refused = answer.unprocessed_items.unwrap_or_default();
            let refused: Vec<WriteRequest> = refused.into_values().flatten().collect();
            attempt = if refused.is_empty() { 0 } else { attempt + 1 };
            if attempt > ATTEMPTS_MAX {
                return Err(StoreError::Busy);
            }
            if attempt > 0 {
                tokio::time::sleep(backoff(attempt)).await;
            }
            writes = refused;
            writes.extend(rest);
        }
        Ok(())
    }

    /// Notes that every record is listed.
    pub async fn note_index_built(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut item = self.index_built();
        item.insert(items::NOTED_AT.to_owned(), items::number(now.millis()));
        self.database.put(self.table_name(TableKind::Index), item).await
    }

    /// Whether every record is listed.
    pub async fn is_index_built(&self) -> Result<bool, StoreError> {
        let table = self.table_name(TableKind::Index);
        Ok(self.database.item(table, self.index_built()).await?.is_some())
    }

    fn index_built(&self) -> Item {
        let partition = keys::index_built_partition(&self.tables().restored_as);
        items::key(&partition, &SortKey::IndexBuilt)
    }
}

/// Where a record stands, unless it is deleted.
fn place(item: &Item) -> Option<Place> {
    let fields = Fields(item);
    let Ok(SortKey::Record(record)) = fields.sort_key() else { return None };
    let at = ChangeTime { at: fields.time(items::CHANGED_AT).ok()?, record };
    let customer = fields.parse(items::PARTITION).ok()?;
    (!item.contains_key(items::DELETED)).then_some((customer, at))
}
