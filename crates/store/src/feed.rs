//! The feed: what people work with leaves a pointer, in the very transaction in which it is changed. A pointer has the next
//! number of one of a few lanes, and a lane knows its last number: so there are no gaps, whatever many writers do at once.
//! A reader that sees a number and not the one before stops there, and one that finds a thing older than its pointer does
//! too: both come with the next read. No clock is relied on, and no stream (docs/decisions/0024-a-feed-in-lanes.md).
//!
//! Lanes and pointers are derived, and in no backup. A lane has an epoch that is its own: where the index was lost, or
//! belongs to a restored service, there is another lane, and whoever has a cursor of the one before is told so.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use domain::{CustomerId, Timestamp, Version};

use crate::batch::Batch;
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::tables::Database;
use crate::{Kind, StoreError, TableKind, Tables};

/// So many lanes has a customer's feed. Writers of two things meet in one of them.
pub(crate) const LANES: u8 = 6;
/// So long a cursor is good.
pub(crate) const CURSOR_KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// So long a pointer stays, beyond every cursor that has not seen it.
const POINTER_KEPT: Duration = Duration::from_secs(92 * 24 * 60 * 60);

/// Which lane it is, told from all others there ever were in its place.
const EPOCH: &str = "epoch";
/// The number of the lane's last pointer.
const LAST: &str = "last";
/// What a pointer is to, by its sort key.
const OF: &str = "of";
/// When it was changed.
const AT: &str = "at_ms";

/// Whether changes of such things are in the feed.
const fn is_told(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Record
            | Kind::Appendix
            | Kind::AppendixVersion
            | Kind::Comment
            | Kind::Type
            | Kind::User
    )
}

/// The lane that a thing's changes are in.
pub(crate) fn lane_of(thing: &SortKey) -> u8 {
    let byte = match thing {
        SortKey::Record(id)
        | SortKey::Appendix(id, _)
        | SortKey::AppendixVersion(id, ..)
        | SortKey::Comment(id, _) => id.to_bytes()[15],
        SortKey::User(id) => id.to_bytes()[15],
        other => other.to_string().bytes().fold(0, u8::wrapping_add),
    };
    byte % LANES
}

/// Where a lane ends for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneEnd {
    pub(crate) epoch: u64,
    pub(crate) last: u64,
}

impl LaneEnd {
    /// A lane that begins.
    fn begun() -> Self {
        Self { epoch: fastrand::u64(1..), last: 0 }
    }

    pub(crate) fn read(item: &Item) -> Result<Self, StoreError> {
        let fields = Fields(item);
        Ok(Self { epoch: fields.parse(EPOCH)?, last: fields.parse(LAST)? })
    }

    fn item(self, key: Item) -> Item {
        let mut item = key;
        item.insert(EPOCH.to_owned(), items::number(self.epoch));
        item.insert(LAST.to_owned(), items::number(self.last));
        item
    }
}

pub(crate) fn lane_key(tables: &Tables, customer: CustomerId, lane: u8) -> Item {
    items::key(&keys::lane_partition(&tables.restored_as, customer, lane), &SortKey::Lane(lane))
}

/// What a writer knows of a lane's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KnownEnd {
    #[default]
    Unknown,
    /// Nothing was ever told there.
    NotBegun,
    At(LaneEnd),
}

impl KnownEnd {
    /// Of the item that was read of the lane.
    pub(crate) fn of(item: Option<&Item>) -> Result<Self, StoreError> {
        item.map_or(Ok(Self::NotBegun), |item| LaneEnd::read(item).map(Self::At))
    }
}

/// A pointer of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer {
    pub(crate) number: u64,
    pub(crate) thing: SortKey,
    pub(crate) version: Version,
    pub(crate) at: Timestamp,
}

impl Pointer {
    /// Of an item of a lane.
    pub(crate) fn read(item: &Item) -> Result<Self, StoreError> {
        let fields = Fields(item);
        let SortKey::Pointer(number) = fields.sort_key()? else {
            return Err(fields.damaged("a pointer's key"));
        };
        let (thing, version) = (fields.parse(OF)?, fields.parse(items::VERSION)?);
        Ok(Self { number, thing, version, at: fields.time(AT)? })
    }

    fn item(&self, tables: &Tables, customer: CustomerId, lane: u8) -> Item {
        let partition = keys::lane_partition(&tables.restored_as, customer, lane);
        let mut item = items::key(&partition, &SortKey::Pointer(self.number));
        item.insert(OF.to_owned(), items::text(&self.thing));
        item.insert(items::VERSION.to_owned(), items::number(self.version));
        item.insert(AT.to_owned(), items::number(self.at.millis()));
        let expires_at = self.at.after(POINTER_KEPT).seconds();
        item.insert(items::EXPIRES_AT.to_owned(), items::number(expires_at));
        item
    }
}

/// What one transaction tells the feed.
pub(crate) struct Telling {
    customer: CustomerId,
    lane: u8,
    told: Vec<(SortKey, Version, Timestamp)>,
    end: KnownEnd,
}

impl Telling {
    /// Of the first thing that a transaction changes; `None`: nobody is told of such.
    pub(crate) fn of(customer: CustomerId, thing: &SortKey) -> Option<Self> {
        let telling =
            || Self { customer, lane: lane_of(thing), told: Vec::new(), end: KnownEnd::Unknown };
        is_told(thing.kind()).then(telling)
    }

    pub(crate) fn add(&mut self, thing: &SortKey, version: Version, at: Timestamp) {
        if is_told(thing.kind()) {
            self.told.push((thing.clone(), version, at));
        }
    }

    /// How many items it is.
    pub(crate) fn len(&self) -> usize {
        self.told.len() + 1
    }

    pub(crate) fn know(&mut self, end: KnownEnd) {
        self.end = end;
    }

    /// Tells it in another lane, since somebody is in this one: readers put lanes together again.
    pub(crate) fn go_elsewhere(&mut self) {
        self.lane = (self.lane + fastrand::u8(1..LANES)) % LANES;
        self.end = KnownEnd::Unknown;
    }

    /// Looks where the lane ends, unless that is known.
    pub(crate) async fn look(&mut self, database: &Database) -> Result<(), StoreError> {
        if self.end == KnownEnd::Unknown {
            let key = lane_key(&database.tables, self.customer, self.lane);
            let table = database.tables.name(TableKind::Index);
            let found = Batch::of(table, vec![key], &[], true).read(&database.dynamo).await?;
            self.end = KnownEnd::of(found.first())?;
        }
        Ok(())
    }

    /// What is written: the lane's new end, on the condition that it is where it was seen, and then the pointers.
    pub(crate) fn writes(&self, database: &Database) -> Vec<TransactWriteItem> {
        let (tables, table) = (&database.tables, database.tables.name(TableKind::Index));
        let key = lane_key(tables, self.customer, self.lane);
        let count = self.told.len() as u64;
        let (lane, before) = match self.end {
            KnownEnd::At(end) => (move_end(table, key, end, count), end),
            KnownEnd::Unknown | KnownEnd::NotBegun => {
                let begun = LaneEnd::begun();
                (begin(table, LaneEnd { last: count, ..begun }.item(key)), begun)
            }
        };
        let told = self.told.iter().zip(before.last + 1..);
        let pointers = told.map(|((thing, version, at), number)| {
            let pointer = Pointer { number, thing: thing.clone(), version: *version, at: *at };
            let item = pointer.item(tables, self.customer, self.lane);
            let put = Put::builder().table_name(table).set_item(Some(item)).build();
            TransactWriteItem::builder().put(put.expect("table and item are set")).build()
        });
        std::iter::once(lane).chain(pointers).collect()
    }
}

fn begin(table: &str, item: Item) -> TransactWriteItem {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression("attribute_not_exists(#pk)")
        .expression_attribute_names("#pk", items::PARTITION)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .expect("table and item are set");
    TransactWriteItem::builder().put(put).build()
}

fn move_end(table: &str, key: Item, seen: LaneEnd, count: u64) -> TransactWriteItem {
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(key))
        .update_expression("SET #last = :next")
        .condition_expression("#last = :seen AND #epoch = :epoch")
        .expression_attribute_names("#last", LAST)
        .expression_attribute_names("#epoch", EPOCH)
        .expression_attribute_values(":next", items::number(seen.last + count))
        .expression_attribute_values(":seen", items::number(seen.last))
        .expression_attribute_values(":epoch", items::number(seen.epoch))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .expect("table, key and expression are set");
    TransactWriteItem::builder().update(update).build()
}

/// Begins a lane that nothing was told in yet, so that a cursor has a place to be at. `false`: somebody was faster.
pub(crate) async fn begin_lane(
    database: &Database,
    customer: CustomerId,
    lane: u8,
) -> Result<bool, StoreError> {
    let item = LaneEnd::begun().item(lane_key(&database.tables, customer, lane));
    let put = database.dynamo.put_item().table_name(database.tables.name(TableKind::Index));
    let put = put
        .set_item(Some(item))
        .condition_expression("attribute_not_exists(#pk)")
        .expression_attribute_names("#pk", items::PARTITION);
    crate::tables::met_condition(put.send().await)
}
