//! The index of lists and words, made from the records: of a service that had none, and of restored tables.

use std::collections::{BTreeMap, HashMap};

use domain::{CustomerId, Record, RecordType, Revision, Timestamp, Version};

use super::{Operator, Segment};
use crate::batch::Batch;
use crate::index::INDEX_RULE;
use crate::indexed::{Indexed, Worded};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::notices::NOTICES_KEPT;
use crate::tables::met_condition;
use crate::words::{self, write_all};
use crate::{StoreError, TableKind};

/// Which lists an index has.
const RULE: &str = "rule";
/// What is read of a thing to see whether it has changed meanwhile.
const VERSION_NOW: [&str; 3] = [items::PARTITION, items::SORT, items::VERSION];

impl Operator {
    /// Lists every record of a segment, writes the words of all that has some, and tells people again what they were told
    /// in the last months: how many records. While people work: what changes meanwhile is indexed by its change, and the
    /// sweep takes away what was written here of the state before.
    pub async fn build_index(&self, segment: Segment, now: Timestamp) -> Result<u64, StoreError> {
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
                .filter_expression(
                    "begins_with(#sk, :record) OR begins_with(#sk, :comment) \
                     OR (begins_with(#sk, :revision) AND #changed_at > :told)",
                )
                .expression_attribute_names("#sk", items::SORT)
                .expression_attribute_names("#changed_at", items::CHANGED_AT)
                .expression_attribute_values(":record", items::text(keys::RECORD_PREFIX))
                .expression_attribute_values(":comment", items::text(keys::COMMENT_PREFIX))
                .expression_attribute_values(":revision", items::text(keys::REVISION_PREFIX))
                .expression_attribute_values(
                    ":told",
                    items::number(now.before(NOTICES_KEPT).millis()),
                )
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            // What cannot be read is in no list. The verification names it.
            let things: Vec<Indexed> = page.items().iter().filter_map(Indexed::read).collect();
            for some in things.chunks(Batch::KEYS_MAX) {
                self.index(some).await?;
            }
            self.tell_again(page.items()).await?;
            for (customer, record) in page.items().iter().filter_map(record) {
                listed += u64::from(!record.deleted);
                let Record { record_type, number, .. } = &record.content;
                if let Some(count) = number.as_ref().and_then(domain::RecordNumber::count) {
                    let highest = given.entry((customer, record_type.to_string())).or_default();
                    *highest = count.max(*highest);
                }
            }
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

    async fn index(&self, things: &[Indexed]) -> Result<(), StoreError> {
        let live = || things.iter().filter(|it| !it.deleted);
        let items = live().flat_map(|it| words::all_items(&self.database, it));
        write_all(&self.database, items.map(words::put).collect()).await?;
        let now = self.versions_now(things).await?;
        let changed = live().filter(|it| now.get(&(it.customer, it.of)) != Some(&it.version));
        // Places and words may have come back since: the sweep looks, on the condition that nothing changes meanwhile.
        let look_again = changed.map(|it| words::put(words::to_look_at(&self.database, it)));
        write_all(&self.database, look_again.collect()).await
    }

    async fn versions_now(
        &self,
        things: &[Indexed],
    ) -> Result<HashMap<(CustomerId, Worded), Version>, StoreError> {
        let key = |it: &Indexed| items::key(&keys::customer_partition(it.customer), &it.of.thing());
        if things.is_empty() {
            return Ok(HashMap::new());
        }
        let table = self.table_name(TableKind::Records);
        let batch = Batch::of(table, things.iter().map(key).collect(), &VERSION_NOW, true);
        let mut versions = HashMap::new();
        for item in batch.read(&self.database.dynamo).await? {
            let fields = Fields(&item);
            let of = match fields.sort_key()? {
                SortKey::Record(id) => Worded::record(id),
                SortKey::Comment(record, id) => Worded::comment(record, id),
                _ => continue,
            };
            versions.insert((fields.parse(items::PARTITION)?, of), fields.parse(items::VERSION)?);
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
        met_condition(updated).map(drop)
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

/// A record, if it is one and can be read.
fn record(item: &Item) -> Option<(CustomerId, Revision<Record>)> {
    let fields = Fields(item);
    let Ok(SortKey::Record(_)) = fields.sort_key() else { return None };
    Some((fields.parse(items::PARTITION).ok()?, items::read_revision(item).ok()?))
}
