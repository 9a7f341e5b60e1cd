//! Records that fit a question: by the order of their ids, by one of the lists, or by words. What a page costs does not
//! grow with what is kept: it reads a bounded number of items, and says by its cursor where it has stopped.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{Date, Name, Record, RecordId, RecordType, Revision, Timestamp, UserId, words};
use futures_util::future::try_join_all;

use super::{Ask, Reader};
use crate::batch::Batch;
use crate::index::{ChangeTime, List, Place, Standing};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::tables::Database;
use crate::words::{WORDS, beginning_of};
use crate::{StoreError, TableKind};

/// What does not fit is skipped while reading; after so many reads a page ends short, with a cursor to go on from.
const READS_MAX: usize = 10;
/// Nothing is read beyond it: a read more, of 1 MB, still fits an answer.
const PAGE_BYTES: usize = 1_000_000;
/// So many items of words are read at once: some 20 kB, five read units.
const WORDS_READ: usize = 200;

/// Where records are looked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// All, by their ids, which say when they were made.
    Created,
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
    pub about: Option<RecordId>,
    pub due_before: Option<Date>,
    pub changed_since: Option<Timestamp>,
}

impl Filter {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }

    fn fits(&self, revision: &Revision<Record>) -> bool {
        let record = &revision.content;
        self.record_type.as_ref().is_none_or(|it| *it == record.record_type)
            && (!self.open || Standing::of(record) == Standing::Open)
            && (self.state.is_none() || self.state == record.state)
            && self.assignee.is_none_or(|it| record.assignees.contains(&it))
            && (self.about.is_none() || self.about == record.about)
            && self.due_before.as_ref().is_none_or(|end| {
                record.open != Some(false) && record.due.as_ref().is_some_and(|due| due < end)
            })
            && self.changed_since.is_none_or(|since| revision.changed_at >= since)
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
}

#[derive(Debug, Default)]
pub struct RecordPage {
    pub records: Vec<(RecordId, Revision<Record>)>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<ChangeTime>,
}

/// Records that may fit, as far as they were looked for.
struct Candidates {
    /// With the record, where it was read already.
    found: Vec<(ChangeTime, Option<Item>)>,
    /// Where the reading has stopped; `None` at the end.
    stopped_at: Option<ChangeTime>,
    /// Whether large records have ended the read.
    is_full: bool,
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
            let unread = candidates.found.iter().filter(|(_, item)| item.is_none());
            let mut records = reader.records(unread.map(|(place, _)| place.record)).await?;
            for (place, item) in candidates.found {
                let Some(item) = item.or_else(|| records.remove(&place.record)) else { continue };
                let revision: Revision<Record> = items::read_revision(&item)?;
                if revision.deleted || !self.fits(&revision) {
                    continue;
                }
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
    fn fits(&self, revision: &Revision<Record>) -> bool {
        let has_words = match &self.source {
            Source::Words(asked) => {
                let has = words::of_record(&revision.content);
                asked.iter().all(|asked| has.iter().any(|word| words::is_asked(word, asked)))
            }
            _ => true,
        };
        has_words && self.filter.fits(revision)
    }

    async fn candidates(
        &self,
        reader: &Reader<'_>,
        after: Option<ChangeTime>,
        wanted: usize,
    ) -> Result<Candidates, StoreError> {
        match &self.source {
            Source::Created => self.by_id(reader, after, wanted).await,
            Source::Lists { lists, from, until } => {
                self.of_lists(reader, lists, (*from, *until), after, wanted).await
            }
            Source::Words(asked) => self.of_words(reader, asked, after, wanted).await,
        }
    }

    async fn by_id(
        &self,
        reader: &Reader<'_>,
        after: Option<ChangeTime>,
        wanted: usize,
    ) -> Result<Candidates, StoreError> {
        let partition = keys::customer_partition(reader.customer.id());
        let start = after.map(|it| items::key(&partition, &SortKey::Record(it.record)));
        let answer = reader
            .query(keys::RECORD_PREFIX)
            .scan_index_forward(self.ascending)
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
        let bound = |time: Option<Timestamp>, none: &str| match time {
            Some(time) => format!("{}{:013}", keys::BY_CHANGE_PREFIX, time.millis().max(0)),
            None => format!("{}{none}", keys::BY_CHANGE_PREFIX),
        };
        // A digit is below a tilde; a time alone is below all places of it.
        let (low, high) = (bound(from, "0"), bound(until, "~"));
        let start = after.map(|at| Place { list: list.clone(), at }.item(tables, customer));
        let partition = keys::list_partition(&tables.restored_as, customer, list);
        let answer = self
            .query_index(reader, &partition, (low, high))
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

    fn query_index(
        &self,
        reader: &Reader<'_>,
        partition: &str,
        (low, high): (String, String),
    ) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        let Database { dynamo, tables } = &reader.store.database;
        dynamo
            .query()
            .table_name(tables.name(TableKind::Index))
            .consistent_read(true)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :low AND :high")
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_names("#sk", items::SORT)
            .expression_attribute_values(":pk", items::text(partition))
            .expression_attribute_values(":low", items::text(low))
            .expression_attribute_values(":high", items::text(high))
            .scan_index_forward(self.ascending)
    }

    /// Of the words asked for, the rarest leads: it is the one whose items reach furthest. Where the others' items reach
    /// as far, a record must be among them.
    async fn of_words(
        &self,
        reader: &Reader<'_>,
        asked: &BTreeSet<String>,
        after: Option<ChangeTime>,
        wanted: usize,
    ) -> Result<Candidates, StoreError> {
        let wanted = wanted.min(Batch::KEYS_MAX);
        let read = asked.iter().map(|word| self.of_word(reader, word, after));
        let mut lists = try_join_all(read).await?;
        let reach = |list: &WordList| list.stopped_at;
        let furthest =
            (0..lists.len()).max_by_key(|at| match (reach(&lists[*at]), self.ascending) {
                (None, _) => (true, None, None),
                (Some(at), true) => (false, Some(at), None),
                (Some(at), false) => (false, None, Some(std::cmp::Reverse(at))),
            });
        let Some(furthest) = furthest else {
            return Ok(Candidates { found: Vec::new(), stopped_at: None, is_full: false });
        };
        let leads = lists.swap_remove(furthest);
        let is_beyond = |list: &WordList, id: RecordId| match (list.stopped_at, self.ascending) {
            (None, _) => false,
            (Some(end), true) => id > end,
            (Some(end), false) => id < end,
        };
        let mut fits =
            leads.found.iter().copied().filter(|id| {
                lists.iter().all(|list| list.has.contains(id) || is_beyond(list, *id))
            });
        let found: Vec<RecordId> = fits.by_ref().take(wanted).collect();
        let stopped_at = match fits.next() {
            Some(_) => found.last().copied(),
            None => leads.stopped_at,
        };
        let found = found.into_iter().map(|id| (by_id(id), None)).collect();
        Ok(Candidates { found, stopped_at: stopped_at.map(by_id), is_full: false })
    }

    async fn of_word(
        &self,
        reader: &Reader<'_>,
        word: &str,
        after: Option<ChangeTime>,
    ) -> Result<WordList, StoreError> {
        let restored_as = &reader.store.database.tables.restored_as;
        let partition =
            keys::words_partition(restored_as, reader.customer.id(), &beginning_of(word));
        let bounds = (keys::WORD_PREFIX.to_owned(), format!("{}~", keys::WORD_PREFIX));
        let start = after.map(|it| items::key(&partition, &SortKey::Word(it.record)));
        let answer = self
            .query_index(reader, &partition, bounds)
            .limit(i32::try_from(WORDS_READ).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let more = answer.last_evaluated_key.is_some();
        let (mut found, mut last) = (Vec::new(), None);
        for item in answer.items() {
            let SortKey::Word(record) = Fields(item).sort_key()? else {
                return Err(Fields(item).damaged("a word's key"));
            };
            last = Some(record);
            if Fields(item).text(WORDS)?.split(' ').any(|it| words::is_asked(it, word)) {
                found.push(record);
            }
        }
        let has = found.iter().copied().collect();
        Ok(WordList { found, has, stopped_at: last.filter(|_| more) })
    }
}

/// The records that have a word, as far as they were read.
struct WordList {
    found: Vec<RecordId>,
    has: HashSet<RecordId>,
    /// `None`: there are no more.
    stopped_at: Option<RecordId>,
}

/// A place among all ids.
const fn by_id(record: RecordId) -> ChangeTime {
    ChangeTime { at: Timestamp::from_millis(0), record }
}

impl Reader<'_> {
    /// These records, each once.
    async fn records(
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
