//! The index of lists and words, made from the records: of a service that had none, and of restored tables.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use domain::{CustomerId, Record, RecordId, RecordType, Revision, Timestamp};

use super::{Operator, Segment};
use crate::batch::Batch;
use crate::index::{self, INDEX_RULE};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::words::{self, write_all};
use crate::{StoreError, TableKind};

/// Which lists an index has.
const RULE: &str = "rule";
/// What is read of a record to see whether it has changed meanwhile.
const VERSION_NOW: [&str; 3] = [items::PARTITION, items::SORT, items::VERSION];

/// A record, as it was read.
type Found = (CustomerId, RecordId, Revision<Record>);

impl Operator {
    /// Lists every record of a segment, and writes its words: how many. While people work: a record that changes
    /// meanwhile is listed by its change, and the sweep takes away what was written here of the state before.
    pub async fn build_index(&self, segment: Segment) -> Result<u64, StoreError> {
        let number = |n: u32| i32::try_from(n).map_err(StoreError::broken);
        let (mut listed, mut start) = (0, None);
        let mut given: BTreeMap<(CustomerId, String), u64> = BTreeMap::new();
        loop {
            let page = self
                .database
                .dynamo
                .scan()
                .table_name(self.table_name(TableKind::Records))
                .consistent_read(true)
                .segment(number(segment.index)?)
                .total_segments(number(segment.of)?)
                .filter_expression("begins_with(#sk, :record)")
                .expression_attribute_names("#sk", items::SORT)
                .expression_attribute_values(":record", items::text(keys::RECORD_PREFIX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            // What cannot be read is in no list. The verification names it.
            let records: Vec<Found> = page.items().iter().filter_map(found).collect();
            for some in records.chunks(Batch::KEYS_MAX) {
                self.list(some).await?;
            }
            for (customer, _, revision) in &records {
                let Record { record_type, number, .. } = &revision.content;
                if let Some(count) = number.as_ref().and_then(domain::RecordNumber::count) {
                    let highest = given.entry((*customer, record_type.to_string())).or_default();
                    *highest = count.max(*highest);
                }
            }
            listed += records.iter().filter(|(_, _, it)| !it.deleted).count() as u64;
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        for ((customer, record_type), count) in given {
            self.count_at_least(customer, record_type, count).await?;
        }
        Ok(listed)
    }

    async fn list(&self, records: &[Found]) -> Result<(), StoreError> {
        let (database, tables) = (&self.database, self.tables());
        let places = |(customer, id, revision): &Found| -> Vec<Item> {
            let places = index::places_of(*id, revision).into_iter();
            places.map(|place| place.item(tables, *customer)).collect()
        };
        let live = || records.iter().filter(|(_, _, it)| !it.deleted);
        let words = live()
            .flat_map(|(customer, id, it)| words::all_items(database, *customer, *id, &it.content));
        let items = live().flat_map(places).chain(words);
        write_all(database, items.map(words::put).collect()).await?;
        let now = self.versions_now(records).await?;
        let changed: Vec<&Found> = live()
            .filter(|(customer, id, it)| now.get(&(*customer, *id)) != Some(&it.version.get()))
            .collect();
        // Places and words may have come back since: the sweep looks, on the condition that nothing changes meanwhile.
        let look_again = changed
            .iter()
            .map(|(customer, id, it)| words::put(words::to_look_at(database, *customer, *id, it)));
        write_all(database, look_again.collect()).await
    }

    async fn versions_now(
        &self,
        records: &[Found],
    ) -> Result<HashMap<(CustomerId, RecordId), u64>, StoreError> {
        let key = |(customer, id, _): &Found| {
            items::key(&keys::customer_partition(*customer), &SortKey::Record(*id))
        };
        if records.is_empty() {
            return Ok(HashMap::new());
        }
        let table = self.table_name(TableKind::Records);
        let batch = Batch::of(table, records.iter().map(key).collect(), &VERSION_NOW, true);
        let mut versions = HashMap::new();
        for item in batch.read(&self.database.dynamo).await? {
            let fields = Fields(&item);
            let SortKey::Record(id) = fields.sort_key()? else { continue };
            versions.insert((fields.parse(items::PARTITION)?, id), fields.parse(items::VERSION)?);
        }
        Ok(versions)
    }

    /// Lets the numbers of a type's records go on from here, where fewer were counted.
    async fn count_at_least(
        &self,
        customer: CustomerId,
        record_type: String,
        count: u64,
    ) -> Result<(), StoreError> {
        let Ok(record_type) = RecordType::try_from(record_type) else { return Ok(()) };
        let key = items::key(&keys::customer_partition(customer), &SortKey::Counter(record_type));
        let updated = self
            .database
            .dynamo
            .update_item()
            .table_name(self.table_name(TableKind::Records))
            .set_key(Some(key))
            .update_expression("SET #count = :count")
            .condition_expression("attribute_not_exists(#count) OR #count < :count")
            .expression_attribute_names("#count", items::COUNT)
            .expression_attribute_values(":count", items::number(count))
            .send()
            .await;
        match updated {
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            other => other.map(drop).map_err(StoreError::unavailable),
        }
    }

    /// Notes that every record is listed.
    pub async fn note_index_built(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut item = self.index_built();
        item.insert(items::NOTED_AT.to_owned(), items::number(now.millis()));
        item.insert(RULE.to_owned(), items::number(INDEX_RULE));
        self.database.put(self.table_name(TableKind::Index), item).await
    }

    /// Whether every record is in all the lists that this release has.
    pub async fn is_index_built(&self) -> Result<bool, StoreError> {
        let table = self.table_name(TableKind::Index);
        let built = self.database.item(table, self.index_built()).await?;
        Ok(built.is_some_and(|it| Fields(&it).parse(RULE).unwrap_or(1) >= INDEX_RULE))
    }

    fn index_built(&self) -> Item {
        let partition = keys::index_built_partition(&self.tables().restored_as);
        items::key(&partition, &SortKey::IndexBuilt)
    }
}

/// A record, if it can be read.
fn found(item: &Item) -> Option<Found> {
    let fields = Fields(item);
    let Ok(SortKey::Record(id)) = fields.sort_key() else { return None };
    Some((fields.parse(items::PARTITION).ok()?, id, items::read_revision(item).ok()?))
}
