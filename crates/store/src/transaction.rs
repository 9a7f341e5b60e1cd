//! The one way to change anything durable: all of a change, or none of it.

use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{
    Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use domain::{CustomerId, Revision, UserId, Version};
use serde::Serialize;

use crate::cancelled::{Cancelled, judge};
use crate::feed::{KnownEnd, LANES, Telling};
use crate::index::Place;
use crate::items::{self, Item};
use crate::keys::SortKey;
use crate::notices::Notices;
use crate::tables::Database;
use crate::usage::{Growth, part_of};
use crate::words::WordChange;
use crate::{Customer, Earlier, Remember, StoreError, TableKind, WriteError, keys};

/// Transactions that meet on one item are cancelled, not queued; these many tries, each after a longer wait, let a burst
/// of writers through one by one. Where only the end of a lane was another one, nobody waits: somebody else went on.
const ATTEMPTS_MAX: u32 = 48;

/// Most items that DynamoDB takes in one transaction.
const WRITES_MAX: usize = 100;

/// What a step of a transaction is for, so that its refusal can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Create,
    Replace,
    Revision,
    Request,
    Login,
    ShortName,
    /// Something else must be there.
    Require,
    Erasure,
    Count,
    List,
    Lane,
    Password,
    Suspended,
    Tell,
}

/// Why a transaction was not made: the first step whose condition failed, and what was there.
pub(crate) enum Refusal {
    Condition { step: Step, found: Option<Item> },
    Store(StoreError),
}

impl From<Refusal> for WriteError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Condition { step: Step::Request, found: Some(item) } => {
                match Earlier::read(&item) {
                    Ok(earlier) => Self::Repeated(earlier),
                    Err(error) => Self::Store(error),
                }
            }
            Refusal::Condition { step: Step::Suspended, .. } => Self::Suspended,
            Refusal::Condition { step: Step::ShortName, .. } => Self::ShortNameTaken,
            Refusal::Condition { step: Step::Create | Step::Login, .. } => Self::Exists,
            Refusal::Condition { step: Step::Require | Step::Password, .. } => {
                Self::Stale { current: None }
            }
            Refusal::Condition { found, .. } => {
                let current = found
                    .filter(|item| !item.contains_key(items::DELETED))
                    .and_then(|item| items::Fields(&item).parse::<Version>(items::VERSION).ok());
                Self::Stale { current }
            }
            Refusal::Store(error) => Self::Store(error),
        }
    }
}

/// Collects the steps of one change.
pub(crate) struct Transaction<'a> {
    pub(crate) database: &'a Database,
    pub(crate) writes: Vec<TransactWriteItem>,
    pub(crate) steps: Vec<Step>,
    telling: Option<Telling>,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(database: &'a Database) -> Self {
        Self { database, writes: Vec::new(), steps: Vec::new(), telling: None }
    }

    /// Creates a thing and its first revision, unless it exists.
    pub(crate) fn create<T: Serialize>(
        self,
        customer: &Customer,
        sort: &SortKey,
        revision: &Revision<T>,
    ) -> Self {
        let partition = keys::customer_partition(customer.id());
        let (item, immutable) = items::revision_pair(&partition, sort, revision);
        let table = sort.kind().home();
        self.put_new(Step::Create, table, item)
            .put_new(Step::Revision, table, immutable)
            .tell_readers(customer, sort, revision)
    }

    /// Replaces a thing by its next revision, if it still is at the version before and not deleted.
    pub(crate) fn replace<T: Serialize>(
        self,
        customer: &Customer,
        sort: &SortKey,
        revision: &Revision<T>,
    ) -> Self {
        let partition = keys::customer_partition(customer.id());
        let pair = items::revision_pair(&partition, sort, revision);
        let replaced = self.replace_pair(sort.kind().home(), revision, pair);
        let replaced = replaced.tell_readers(customer, sort, revision);
        if revision.deleted { replaced.note_erasure(customer, sort, revision) } else { replaced }
    }

    /// Who reads the feed finds this change there.
    fn tell_readers<T>(
        mut self,
        customer: &Customer,
        sort: &SortKey,
        revision: &Revision<T>,
    ) -> Self {
        if self.telling.is_none() {
            self.telling = Telling::of(customer.id(), sort);
        }
        if let Some(telling) = &mut self.telling {
            telling.add(sort, revision.version, revision.changed_at);
        }
        self
    }

    /// Where the lane of the feed ends that the first of its things is in, as it was read before.
    pub(crate) fn knowing(mut self, end: KnownEnd) -> Self {
        if let Some(telling) = &mut self.telling {
            telling.know(end);
        }
        self
    }

    /// Tells the feed nothing: nobody reads it yet.
    pub(crate) fn without_readers(mut self) -> Self {
        self.telling = None;
        self
    }

    /// What no restore may bring back is noted where no restore reaches.
    fn note_erasure<T>(self, customer: &Customer, sort: &SortKey, revision: &Revision<T>) -> Self {
        let (by, at) = (revision.changed_by, revision.changed_at);
        let put =
            self.put_item(TableKind::Ledger, items::erasure_item(customer.id(), sort, by, at));
        self.put(Step::Erasure, put)
    }

    /// Replaces a thing by the two items of its next revision.
    pub(crate) fn replace_pair<T>(
        self,
        table: TableKind,
        revision: &Revision<T>,
        (item, immutable): (Item, Item),
    ) -> Self {
        let seen = revision.version.get() - 1;
        let put = self
            .put_item(table, item)
            .condition_expression("#version = :seen AND attribute_not_exists(#deleted)")
            .expression_attribute_names("#version", items::VERSION)
            .expression_attribute_names("#deleted", items::DELETED)
            .expression_attribute_values(":seen", items::number(seen));
        self.put(Step::Replace, put).put_new(Step::Revision, table, immutable)
    }

    /// Remembers the answer to the request, unless it was answered before.
    pub(crate) fn remember(
        self,
        table: TableKind,
        partition: &str,
        sort: &SortKey,
        remember: &Remember,
    ) -> Self {
        // Time to live deletes late: an expired answer does not count any more.
        let put = self
            .put_item(table, remember.to_item(partition, sort))
            .condition_expression("attribute_not_exists(#pk) OR #expires_at < :now")
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_names("#expires_at", items::EXPIRES_AT)
            .expression_attribute_values(":now", items::number(remember.now.seconds()));
        self.put(Step::Request, put)
    }

    /// Remembers the answer to a user's request about records, where it may come again.
    pub(crate) fn remember_where_named(
        self,
        customer: &Customer,
        user: UserId,
        remember: Option<&Remember>,
    ) -> Self {
        let Some(remember) = remember else { return self };
        let partition = keys::customer_partition(customer.id());
        self.remember(TableKind::Records, &partition, &remember.sort_key(user), remember)
    }

    /// Counts what a customer keeps from now on, of a thing with this id.
    pub(crate) fn count(mut self, customer: &Customer, id: [u8; 16], growth: Growth) -> Self {
        let update = Update::builder()
            .table_name(self.database.tables.name(TableKind::Records))
            .set_key(Some(part_of(customer.id(), id[15])))
            .update_expression("ADD #bytes :bytes, #versions :versions, #records :records")
            .expression_attribute_names("#bytes", items::BYTES)
            .expression_attribute_names("#versions", items::VERSIONS)
            .expression_attribute_names("#records", items::RECORDS)
            .expression_attribute_values(":bytes", items::number(growth.bytes))
            .expression_attribute_values(":versions", items::number(growth.versions))
            .expression_attribute_values(":records", items::number(growth.records))
            .build()
            .expect("table, key and expression are set");
        self.writes.push(TransactWriteItem::builder().update(update).build());
        self.steps.push(Step::Count);
        self
    }

    /// Moves a record in its lists: from where it was to where it is.
    pub(crate) fn list(mut self, customer: CustomerId, from: &[Place], to: &[Place]) -> Self {
        let tables = &self.database.tables;
        // One transaction touches an item once: where it stays, nothing is written.
        let left = from.iter().filter(|place| !to.contains(place));
        let left: Vec<Item> = left.map(|place| place.item(tables, customer)).collect();
        let taken = to.iter().filter(|place| !from.contains(place));
        let taken: Vec<Item> = taken.map(|place| place.item(tables, customer)).collect();
        for key in left {
            self = self.delete_from_index(key);
        }
        for item in taken {
            self = self.put_into_index(item);
        }
        self
    }

    /// Tells people.
    pub(crate) fn notify(self, customer: CustomerId, notices: Notices) -> Self {
        let items = notices.items(&self.database.tables, customer);
        items.fold(self, Self::put_into_index)
    }

    /// Writes the words of a change, as the last of its steps: all, where they fit. What does not is left to be written
    /// after it.
    pub(crate) fn words(mut self, change: Option<WordChange>) -> (Self, Option<WordChange>) {
        let Some(change) = change else { return (self, None) };
        let others = self.writes.len() + self.telling.as_ref().map_or(0, Telling::len);
        if others + change.len() > WRITES_MAX {
            let to_do = change.to_do(self.database);
            return (self.put_into_index(to_do), Some(change));
        }
        let (new, gone) = change.items(self.database);
        for item in new {
            self = self.put_into_index(item);
        }
        for key in gone {
            self = self.delete_from_index(key);
        }
        (self, None)
    }

    /// What is derived is written whatever was there.
    fn put_into_index(self, item: Item) -> Self {
        let table = self.database.tables.name(TableKind::Index);
        self.put(Step::List, Put::builder().table_name(table).set_item(Some(item)))
    }

    fn delete_from_index(mut self, key: Item) -> Self {
        let table = self.database.tables.name(TableKind::Index);
        let delete = Delete::builder().table_name(table).set_key(Some(key));
        let delete = delete.build().expect("table and key are set");
        self.writes.push(TransactWriteItem::builder().delete(delete).build());
        self.steps.push(Step::List);
        self
    }

    /// Puts an item that must not exist yet.
    pub(crate) fn put_new(self, step: Step, table: TableKind, item: Item) -> Self {
        let put = self
            .put_item(table, item)
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", items::PARTITION);
        self.put(step, put)
    }

    pub(crate) fn put_item(&self, table: TableKind, item: Item) -> PutBuilder {
        Put::builder()
            .table_name(self.database.tables.name(table))
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    pub(crate) fn put(mut self, step: Step, put: PutBuilder) -> Self {
        let put = put.build().expect("table and item are set");
        self.writes.push(TransactWriteItem::builder().put(put).build());
        self.steps.push(step);
        self
    }

    /// Makes the change. The client token that the SDK adds lets its own retries of a lost answer
    /// succeed instead of failing on what the first try wrote.
    pub(crate) async fn commit(self) -> Result<(), Refusal> {
        let (mut telling, mut conflicts) = (self.telling, 0);
        let steps = [self.steps, vec![Step::Lane; telling.as_ref().map_or(0, Telling::len)]];
        let steps = steps.concat();
        for attempt in 0..ATTEMPTS_MAX {
            let mut writes = self.writes.clone();
            if let Some(telling) = &mut telling {
                telling.look(self.database).await.map_err(Refusal::Store)?;
                writes.extend(telling.writes(self.database));
            }
            let request = self.database.dynamo.transact_write_items();
            let sent = request.set_transact_items(Some(writes)).send().await;
            let Err(error) = sent else { return Ok(()) };
            let reasons = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    cancelled.cancellation_reasons()
                }
                _ => return Err(Refusal::Store(StoreError::unavailable(error))),
            };
            match judge(&steps, reasons) {
                Cancelled::Conflict { in_a_lane_alone } => {
                    // One of the other lanes is free as a rule.
                    if !in_a_lane_alone || attempt % u32::from(LANES) == u32::from(LANES) - 1 {
                        conflicts += 1;
                        tokio::time::sleep(backoff(conflicts)).await;
                    }
                    telling.iter_mut().for_each(Telling::go_elsewhere);
                }
                Cancelled::Moved(end) => telling.iter_mut().for_each(|it| it.know(end)),
                Cancelled::Refused(refusal) => return Err(refusal),
                Cancelled::Failed => {
                    return Err(Refusal::Store(StoreError::unavailable(error)));
                }
            }
        }
        Err(Refusal::Store(StoreError::Busy))
    }
}

/// 8 ms, which is about as long as a transaction takes, doubling to at most 256 ms, of which a random half is waited at
/// least.
pub(crate) fn backoff(attempt: u32) -> Duration {
    let millis = 4_u64 << attempt.min(6);
    Duration::from_millis(millis / 2 + fastrand::u64(0..=millis / 2))
}
