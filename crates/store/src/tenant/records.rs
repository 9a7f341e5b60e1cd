//! Records, as they are now.

use std::collections::{HashMap, HashSet};

use domain::{Record, RecordId, Revision};

use super::reads::{FoundItems, Wanted};
use super::{Ask, Lookup, Read, Reader, Session};
use crate::batch::Batch;
use crate::index;
use crate::index::ChangeTime;
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::tables::Database;
use crate::transaction::Transaction;
use crate::usage::Growth;
use crate::{Customer, Remember, Store, StoreError, TableKind, WriteError};

/// Tombstones are skipped while reading; after this many reads a page ends short, with a cursor to
/// go on from.
const READS_MAX: usize = 10;
/// Nothing is read beyond it: a read more, of 1 MB, still fits an answer.
const PAGE_BYTES: usize = 1_000_000;

/// A record of the customer's.
pub struct RecordKey(pub RecordId);

impl Read for RecordKey {
    type Found = Lookup<Record>;

    fn ask(&self, items: &mut Wanted<'_>) {
        items.item(TableKind::Records, SortKey::Record(self.0));
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        items.thing(&SortKey::Record(self.0))
    }
}

/// A customer's records, those with the highest id first. Ids sort by when they were made.
pub struct ListRecords {
    /// From 1 to [`crate::PAGE_ITEMS_MAX`].
    pub limit: u16,
    /// Only records with a lower id than this.
    pub before: Option<RecordId>,
}

#[derive(Debug, Default)]
pub struct RecordPage {
    pub records: Vec<(RecordId, Revision<Record>)>,
    /// Where the next page starts; `None` at the end.
    pub next_before: Option<RecordId>,
}

impl Ask for ListRecords {
    type Answer = RecordPage;

    async fn ask(self, reader: Reader<'_>) -> Result<RecordPage, StoreError> {
        // One more than asked for tells whether there is a next page.
        let target = usize::from(self.limit) + 1;
        let mut page = RecordPage::default();
        let mut bytes = 0;
        let mut before = self.before;
        for _ in 0..READS_MAX {
            let wanted = target - page.records.len();
            let (items, more) = reader.records_before(before, wanted).await?;
            for item in &items {
                let SortKey::Record(id) = Fields(item).sort_key()? else {
                    return Err(Fields(item).damaged("a record's key"));
                };
                let revision = items::read_revision(item)?;
                before = Some(id);
                if !revision.deleted {
                    bytes += Fields(item).text(items::CONTENT)?.len();
                    page.records.push((id, revision));
                }
            }
            if page.records.len() == target {
                page.records.pop();
                page.next_before = page.records.last().map(|(id, _)| *id);
                return Ok(page);
            }
            if !more {
                return Ok(page);
            }
            // Large records: DynamoDB ended the read at 1 MB, which makes a page. So do several reads
            // that were smaller, each with deleted ones among them.
            let full = items.len() < wanted || bytes >= PAGE_BYTES;
            if full && !page.records.is_empty() {
                break;
            }
        }
        page.next_before = before;
        Ok(page)
    }
}

/// A customer's records, those first that were changed last.
pub struct ListByChange {
    /// From 1 to [`crate::PAGE_ITEMS_MAX`].
    pub limit: u16,
    /// Only records that come after this place.
    pub before: Option<ChangeTime>,
}

#[derive(Debug, Default)]
pub struct ChangePage {
    pub records: Vec<(RecordId, Revision<Record>)>,
    /// Where the next page starts; `None` at the end.
    pub next_before: Option<ChangeTime>,
}

impl Ask for ListByChange {
    type Answer = ChangePage;

    async fn ask(self, reader: Reader<'_>) -> Result<ChangePage, StoreError> {
        let (places, mut next_before) = reader.places_before(self.before, self.limit).await?;
        let mut found = reader.records(&places).await?;
        let mut page = ChangePage::default();
        let mut bytes = 0;
        for place in &places {
            // One that was changed since then stands further up now, and is shown here as it is. One that was
            // deleted is not.
            let Some(item) = found.remove(&place.record) else { continue };
            bytes += Fields(&item).text(items::CONTENT)?.len();
            let revision = items::read_revision(&item)?;
            if !revision.deleted {
                page.records.push((place.record, revision));
            }
            if bytes >= PAGE_BYTES && Some(place) != places.last() {
                next_before = Some(*place);
                break;
            }
        }
        page.next_before = next_before;
        Ok(page)
    }
}

impl Reader<'_> {
    /// Up to `limit` places, the newest first, and where more of them start.
    async fn places_before(
        &self,
        before: Option<ChangeTime>,
        limit: u16,
    ) -> Result<(Vec<ChangeTime>, Option<ChangeTime>), StoreError> {
        let Database { dynamo, tables } = &self.store.database;
        let customer = self.customer.id();
        let answer = dynamo
            .query()
            .table_name(&tables.index)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_names("#sk", items::SORT)
            .expression_attribute_values(
                ":pk",
                items::text(keys::index_partition(&tables.restored_as, customer)),
            )
            .expression_attribute_values(":prefix", items::text(keys::BY_CHANGE_PREFIX))
            .scan_index_forward(false)
            .limit(i32::from(limit))
            .set_exclusive_start_key(before.map(|before| index::place(tables, customer, before)))
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let mut places = Vec::new();
        for item in answer.items() {
            let SortKey::ByChange(place) = Fields(item).sort_key()? else {
                return Err(Fields(item).damaged("a place in a list"));
            };
            places.push(place);
        }
        let next = answer.last_evaluated_key.and_then(|_| places.last().copied());
        Ok((places, next))
    }

    /// The records at these places, each once.
    async fn records(&self, places: &[ChangeTime]) -> Result<HashMap<RecordId, Item>, StoreError> {
        let Database { dynamo, tables } = &self.store.database;
        let partition = keys::customer_partition(self.customer.id());
        let ids: HashSet<RecordId> = places.iter().map(|place| place.record).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut batch = Batch::default();
        for id in ids {
            batch.add(&tables.records, &partition, &SortKey::Record(id));
        }
        let mut found = HashMap::new();
        for item in batch.read(dynamo).await? {
            let SortKey::Record(id) = Fields(&item).sort_key()? else {
                return Err(Fields(&item).damaged("a record's key"));
            };
            found.insert(id, item);
        }
        Ok(found)
    }

    /// Up to `limit` records or 1 MB, and whether there is more.
    async fn records_before(
        &self,
        before: Option<RecordId>,
        limit: usize,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let partition = keys::customer_partition(self.customer.id());
        let start = before.map(|id| items::key(&partition, &SortKey::Record(id)));
        let answer = self
            .query(keys::RECORD_PREFIX)
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let more = answer.last_evaluated_key.is_some();
        Ok((answer.items.unwrap_or_default(), more))
    }

    /// A strongly consistent query of the customer's items whose sort key starts with `prefix`.
    pub(crate) fn query(
        &self,
        prefix: &str,
    ) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        self.store.query_of(&self.customer, prefix)
    }
}

impl Store {
    /// A strongly consistent query of a customer's items whose sort key starts with `prefix`.
    pub(crate) fn query_of(
        &self,
        customer: &Customer,
        prefix: &str,
    ) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        let partition = keys::customer_partition(customer.id());
        self.database
            .dynamo
            .query()
            .table_name(&self.database.tables.records)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_names("#sk", items::SORT)
            .expression_attribute_values(":pk", items::text(partition))
            .expression_attribute_values(":prefix", items::text(prefix))
    }

    /// Creates a record and remembers the answer to the request.
    pub async fn create_record(
        &self,
        session: &Session,
        id: RecordId,
        revision: &Revision<Record>,
        remember: &Remember,
    ) -> Result<(), WriteError> {
        let partition = keys::customer_partition(session.customer.id());
        Transaction::new(&self.database)
            .create(&session.customer, &SortKey::Record(id), revision)
            .list(session.customer.id(), None, index::place_of(id, revision))
            .count(&session.customer, id.to_bytes(), Growth::RECORD)
            .remember(TableKind::Records, &partition, &remember.sort_key(session.user), remember)
            .commit()
            .await
            .map_err(WriteError::from)
    }

    /// Replaces a record, as it was seen, by its next revision, be it new content or a tombstone, and remembers
    /// the answer where the request may come again.
    pub async fn replace_record(
        &self,
        session: &Session,
        id: RecordId,
        seen: &Revision<Record>,
        revision: &Revision<Record>,
        remember: Option<&Remember>,
    ) -> Result<(), WriteError> {
        let (customer, sort) = (&session.customer, SortKey::Record(id));
        let (from, to) = (index::place_of(id, seen), index::place_of(id, revision));
        let change = Transaction::new(&self.database).replace(customer, &sort, revision);
        let change = change.list(customer.id(), from, to);
        let change = if revision.deleted {
            change.count(customer, id.to_bytes(), Growth::RECORD_DELETED)
        } else {
            change
        };
        let change = change.remember_where_named(customer, session.user, remember);
        change.commit().await.map_err(WriteError::from)
    }
}
