//! Records that fit a question: by the order of their ids, by one of the lists, or by words. What a page costs does not
//! grow with what is kept: it reads a bounded number of items, and says by its cursor where it has stopped.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use domain::{Date, Name, Record, RecordId, RecordType, Revision, Timestamp, UserId};
use futures_util::future::try_join_all;

use super::{Ask, Reader};
use crate::batch::Batch;
use crate::index::{self, ChangeTime, List, Place, Standing};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::tables::Database;
use crate::{StoreError, TableKind};

/// What does not fit is skipped while reading; after so many reads a page ends short, with a cursor to go on from.
const READS_MAX: usize = 10;
/// Nothing is read beyond it: a read more, of 1 MB, still fits an answer.
const PAGE_BYTES: usize = 1_000_000;
/// A change takes no longer from its request to its end, nor do the clocks of two machines differ more.
const CHANGED_MEANWHILE: Duration = Duration::from_secs(120);

/// Where records are looked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// All, or those made at some time or later, by their ids, which say when that was.
    Created { from: Option<Timestamp> },
    /// Some lists that no record is in twice, by their times; from one time on, and before another one.
    Lists { lists: Vec<List>, from: Option<Timestamp>, until: Option<Timestamp> },
    /// Those that have a word that begins like each of these, by their ids.
    Words(BTreeSet<String>),
}

/// What a record must be like to be shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    pub record_type: Option<RecordType>,
    pub open: bool,
    pub state: Option<Name>,
    pub assignee: Option<UserId>,
    /// Those that nobody is assigned to.
    pub unassigned: bool,
    pub about: Option<RecordId>,
    pub due_before: Option<Date>,
    /// By their ids.
    pub created_since: Option<Timestamp>,
    pub changed_since: Option<Timestamp>,
    pub closed_since: Option<Timestamp>,
}

impl Filter {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }

    fn fits(&self, id: RecordId, revision: &Revision<Record>) -> bool {
        let record = &revision.content;
        self.record_type.as_ref().is_none_or(|it| *it == record.record_type)
            && (!self.open || Standing::of(record) == Standing::Open)
            && (self.state.is_none() || self.state == record.state)
            && self.assignee.is_none_or(|it| record.assignees.contains(&it))
            && (!self.unassigned || record.assignees.is_empty())
            && (self.about.is_none() || self.about == record.about)
            && self.due_before.as_ref().is_none_or(|end| {
                record.open != Some(false) && record.due.as_ref().is_some_and(|due| due < end)
            })
            && self.created_since.is_none_or(|since| id.made_at() >= since)
            && self.changed_since.is_none_or(|since| revision.changed_at >= since)
            && self.closed_since.is_none_or(|since| {
                record.open == Some(false) && record.closed_at.is_some_and(|at| at >= since)
            })
    }
}

/// A question for records.
pub struct FindRecords {
    pub source: Source,
    pub filter: Filter,
    pub ascending: bool,
    /// From 1 to [`crate::PAGE_ITEMS_MAX`].
    pub limit: u16,
    /// Only records that come after this place.
    pub after: Option<ChangeTime>,
    /// The time of the request.
    pub now: Timestamp,
}

#[derive(Debug, Default)]
pub struct RecordPage {
    pub records: Vec<(RecordId, Revision<Record>)>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<ChangeTime>,
}

/// Records that may fit, as far as they were looked for.
pub(super) struct Candidates {
    /// With the record, where it was read already.
    pub(super) found: Vec<(ChangeTime, Option<Item>)>,
    /// Where the reading has stopped; `None` at the end.
    pub(super) stopped_at: Option<ChangeTime>,
    /// Whether large records have ended the read.
    pub(super) is_full: bool,
}

impl Ask for FindRecords {
    type Answer = RecordPage;

    async fn ask(self, reader: Reader<'_>) -> Result<RecordPage, StoreError> {
        // One more than asked for tells whether there is a next page.
        let target = usize::from(self.limit) + 1;
        let (mut after, mut bytes) = (self.after, 0);
        let mut shown: Vec<(ChangeTime, Revision<Record>)> = Vec::new();
        for _ in 0..READS_MAX {
            // Of what is filtered, it is not known how many will fit.
            let wanted = if self.filter.is_none() { target - shown.len() } else { target };
            let candidates = self.candidates(&reader, after, wanted).await?;
            for (place, item, revision) in self.fitting(&reader, candidates.found).await? {
                if shown.len() + 1 == target || (bytes >= PAGE_BYTES && !shown.is_empty()) {
                    return Ok(page(shown, true, None));
                }
                bytes += Fields(&item).text(items::CONTENT)?.len();
                shown.push((place, revision));
            }
            after = candidates.stopped_at;
            let is_over = after.is_none() || (candidates.is_full && !shown.is_empty());
            if is_over || (bytes >= PAGE_BYTES && !shown.is_empty()) {
                break;
            }
        }
        Ok(page(shown, false, after))
    }
}

/// A page that ends at the last of its records, because there is another one, or where the reading has stopped.
fn page(
    shown: Vec<(ChangeTime, Revision<Record>)>,
    is_cut: bool,
    stopped_at: Option<ChangeTime>,
) -> RecordPage {
    let last = shown.last().map(|(place, _)| *place);
    let records = shown.into_iter().map(|(place, record)| (place.record, record)).collect();
    RecordPage { records, next: if is_cut { last } else { stopped_at } }
}

impl FindRecords {
    /// Those of some candidates that are there, and are what is asked for.
    async fn fitting(
        &self,
        reader: &Reader<'_>,
        found: Vec<(ChangeTime, Option<Item>)>,
    ) -> Result<Vec<(ChangeTime, Item, Revision<Record>)>, StoreError> {
        let unread = found.iter().filter(|(_, item)| item.is_none());
        let mut records = reader.records(unread.map(|(place, _)| place.record)).await?;
        let mut fitting = Vec::new();
        for (place, item) in found {
            let Some(item) = item.or_else(|| records.remove(&place.record)) else { continue };
            let revision: Revision<Record> = items::read_revision(&item)?;
            let is_there = !revision.deleted && self.stands(place, &revision);
            if is_there && self.filter.fits(place.record, &revision) {
                fitting.push((place, item, revision));
            }
        }
        if let Source::Words(asked) = &self.source {
            let records = fitting.iter().map(|(place, _, it)| (place.record, &it.content));
            let has = self.with_words(reader, asked, records).await?;
            fitting.retain(|(place, ..)| has.contains(&place.record));
        }
        Ok(fitting)
    }

    /// Whether a record stands where it was found. One that was changed since then is shown all the same, for it stands
    /// where this reader has been already; but not one that is said to stand there by an index that is out of date.
    fn stands(&self, place: ChangeTime, revision: &Revision<Record>) -> bool {
        let Source::Lists { lists, .. } = &self.source else { return true };
        let settled = self.now.before(CHANGED_MEANWHILE);
        let places = index::places_of(place.record, revision);
        revision.changed_at >= settled
            || places.iter().any(|it| it.at == place && lists.contains(&it.list))
    }

    async fn candidates(
        &self,
        reader: &Reader<'_>,
        after: Option<ChangeTime>,
        wanted: usize,
    ) -> Result<Candidates, StoreError> {
        match &self.source {
            Source::Created { from } => self.by_id(reader, *from, after, wanted).await,
            Source::Lists { lists, from, until } => {
                self.of_lists(reader, lists, (*from, *until), after, wanted).await
            }
            Source::Words(asked) => self.of_words(reader, asked, after, wanted).await,
        }
    }

    async fn by_id(
        &self,
        reader: &Reader<'_>,
        from: Option<Timestamp>,
        after: Option<ChangeTime>,
        wanted: usize,
    ) -> Result<Candidates, StoreError> {
        let partition = keys::customer_partition(reader.customer.id());
        let start = after.map(|it| items::key(&partition, &SortKey::Record(it.record)));
        let first = |from| SortKey::Record(RecordId::first_of(from)).to_string();
        let low = from.map_or_else(|| keys::RECORD_PREFIX.to_owned(), first);
        let bounds = (low, format!("{}~", keys::RECORD_PREFIX));
        let answer = self
            .query(reader, TableKind::Records, &partition, bounds)
            .limit(i32::try_from(wanted).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let (more, read) = (answer.last_evaluated_key.is_some(), answer.items.unwrap_or_default());
        let mut found = Vec::new();
        for item in read {
            let SortKey::Record(record) = Fields(&item).sort_key()? else {
                return Err(Fields(&item).damaged("a record's key"));
            };
            found.push((by_id(record), Some(item)));
        }
        let stopped_at = found.last().map(|(place, _)| *place).filter(|_| more);
        Ok(Candidates { is_full: more && found.len() < wanted, found, stopped_at })
    }

    async fn of_lists(
        &self,
        reader: &Reader<'_>,
        lists: &[List],
        times: (Option<Timestamp>, Option<Timestamp>),
        after: Option<ChangeTime>,
        wanted: usize,
    ) -> Result<Candidates, StoreError> {
        // Most reads of a batch.
        let wanted = wanted.min(Batch::KEYS_MAX);
        let read = lists.iter().map(|list| self.of_list(reader, list, times, after, wanted));
        let mut more = false;
        let mut places = Vec::new();
        for (some, has_more) in try_join_all(read).await? {
            more |= has_more;
            places.extend(some);
        }
        places.sort_unstable();
        if !self.ascending {
            places.reverse();
        }
        more |= places.len() > wanted;
        places.truncate(wanted);
        let stopped_at = places.last().copied().filter(|_| more);
        let found = places.into_iter().map(|place| (place, None)).collect();
        Ok(Candidates { found, stopped_at, is_full: false })
    }

    /// Up to `limit` places of a list, and whether there are more.
    async fn of_list(
        &self,
        reader: &Reader<'_>,
        list: &List,
        (from, until): (Option<Timestamp>, Option<Timestamp>),
        after: Option<ChangeTime>,
        limit: usize,
    ) -> Result<(Vec<ChangeTime>, bool), StoreError> {
        let Database { tables, .. } = &reader.store.database;
        let customer = reader.customer.id();
        let start = after.map(|at| Place { list: list.clone(), at }.item(tables, customer));
        let partition = keys::list_partition(&tables.restored_as, customer, list);
        let answer = self
            .query(reader, TableKind::Index, &partition, index::range(from, until))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
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
        Ok((places, answer.last_evaluated_key.is_some()))
    }

    /// What stands between two sort keys, in the order asked for.
    pub(super) fn query(
        &self,
        reader: &Reader<'_>,
        table: TableKind,
        partition: &str,
        bounds: (String, String),
    ) -> QueryFluentBuilder {
        let query = reader.store.database.between(table, partition, bounds);
        query.scan_index_forward(self.ascending)
    }
}

/// A place among all ids.
pub(super) const fn by_id(record: RecordId) -> ChangeTime {
    ChangeTime { at: Timestamp::from_millis(0), record }
}

impl Reader<'_> {
    /// These records, each once.
    pub(super) async fn records(
        &self,
        ids: impl Iterator<Item = RecordId>,
    ) -> Result<HashMap<RecordId, Item>, StoreError> {
        let Database { dynamo, tables } = &self.store.database;
        let partition = keys::customer_partition(self.customer.id());
        let ids: HashSet<RecordId> = ids.collect();
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
}
