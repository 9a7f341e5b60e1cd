//! Records by their words, and by those of what is said about them: the lists of all that were asked for, read at once.

use std::collections::{BTreeSet, HashSet};

use domain::{Comment, CommentId, Record, RecordId, Revision, words};
use futures_util::future::try_join_all;

use super::Reader;
use super::find::{Candidates, FindRecords, by_id};
use crate::batch::Batch;
use crate::index::ChangeTime;
use crate::indexed::Worded;
use crate::items::{self, Fields};
use crate::keys::{self, SortKey};
use crate::words::{WORDS, beginning_of};
use crate::{StoreError, TableKind};

/// So many items of words are read at once: some 20 kB, five read units.
const WORDS_READ: usize = 200;
/// Of the comments on a record that have a word, as the index says, so many are looked at: one has it as a rule.
const COMMENTS_READ: usize = 3;
/// Of so many records at once.
const RECORDS_AT_ONCE: usize = 16;

impl FindRecords {
    /// Of the words asked for, the rarest leads: it is the one whose items reach furthest. Where the others' items reach
    /// as far, a record must be among them.
    pub(super) async fn of_words(
        &self,
        reader: &Reader<'_>,
        asked: &BTreeSet<String>,
        after: Option<ChangeTime>,
        wanted: usize,
    ) -> Result<Candidates, StoreError> {
        let wanted = wanted.min(Batch::KEYS_MAX);
        let read = asked.iter().map(|word| self.of_word(reader, word, after));
        let mut lists = try_join_all(read).await?;
        let furthest = (0..lists.len()).max_by_key(|at| {
            lists[*at].stopped_at.map_or((true, None), |end| (false, Some(self.in_order(end))))
        });
        let Some(furthest) = furthest else {
            return Ok(Candidates { found: Vec::new(), stopped_at: None, is_full: false });
        };
        let leads = lists.swap_remove(furthest);
        let is_beyond =
            |list: &WordList, id| list.stopped_at.is_some_and(|end| self.comes_after(id, end));
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

    /// A record's place in the order asked for.
    fn in_order(&self, id: RecordId) -> [u8; 16] {
        let bytes = id.to_bytes();
        if self.ascending { bytes } else { bytes.map(|it| !it) }
    }

    fn comes_after(&self, id: RecordId, other: RecordId) -> bool {
        self.in_order(id) > self.in_order(other)
    }

    /// Records that have a word, and those about which it is said, as far as both were read.
    async fn of_word(
        &self,
        reader: &Reader<'_>,
        word: &str,
        after: Option<ChangeTime>,
    ) -> Result<WordList, StoreError> {
        let (has, said) = tokio::try_join!(
            self.of_word_in(reader, false, word, after),
            self.of_word_in(reader, true, word, after)
        )?;
        let ends = [has.1, said.1].into_iter().flatten();
        let stopped_at = ends.min_by_key(|end| self.in_order(*end));
        let mut found = [has.0, said.0].concat();
        found.retain(|id| stopped_at.is_none_or(|end| !self.comes_after(*id, end)));
        found.sort_unstable_by_key(|id| self.in_order(*id));
        found.dedup();
        let has = found.iter().copied().collect();
        Ok(WordList { found, has, stopped_at })
    }

    /// Of the records themselves, or of what is said. Where the reading has stopped, unless at the end: the record there
    /// is among those found, for more that is said about it may not have been read.
    async fn of_word_in(
        &self,
        reader: &Reader<'_>,
        is_said: bool,
        word: &str,
        after: Option<ChangeTime>,
    ) -> Result<(Vec<RecordId>, Option<RecordId>), StoreError> {
        let partition = words_partition(reader, is_said, word);
        let bounds = (keys::WORD_PREFIX.to_owned(), format!("{}~", keys::WORD_PREFIX));
        let start = after.map(|it| match (self.ascending, is_said) {
            // Behind all that is said about it.
            (true, true) => items::key_of(&partition, format!("{}~", word_prefix(it.record))),
            _ => items::key(&partition, &SortKey::Word(Worded::record(it.record))),
        });
        let answer = self
            .query(reader, TableKind::Index, &partition, bounds)
            .limit(i32::try_from(WORDS_READ).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let more = answer.last_evaluated_key.is_some();
        let (mut found, mut last) = (Vec::new(), None);
        for item in answer.items() {
            let SortKey::Word(Worded { record, .. }) = Fields(item).sort_key()? else {
                return Err(Fields(item).damaged("a word's key"));
            };
            last = Some(record);
            if has_word(Fields(item).text(WORDS)?.split(' '), word) {
                found.push(record);
            }
        }
        let last = last.filter(|_| more);
        found.extend(last.filter(|_| is_said));
        found.dedup();
        Ok((found, last))
    }

    /// Those of some records that have all words, themselves or in what is said about them now.
    pub(super) async fn with_words(
        &self,
        reader: &Reader<'_>,
        asked: &BTreeSet<String>,
        records: impl Iterator<Item = (RecordId, &Record)>,
    ) -> Result<HashSet<RecordId>, StoreError> {
        let mut with = HashSet::new();
        let mut in_question = Vec::new();
        for (id, record) in records {
            let has = words::of_record(record);
            let lacks = asked.iter().filter(|word| !has_word(has.iter().map(String::as_str), word));
            let lacks: Vec<&str> = lacks.map(String::as_str).collect();
            if lacks.is_empty() {
                with.insert(id);
            } else {
                in_question.push((id, lacks));
            }
        }
        for some in in_question.chunks(RECORDS_AT_ONCE) {
            let said = some.iter().map(|(id, lacks)| self.is_said(reader, *id, lacks));
            let said = try_join_all(said).await?;
            let ids = some.iter().map(|(id, _)| *id);
            with.extend(ids.zip(said).filter_map(|(id, is_said)| is_said.then_some(id)));
        }
        Ok(with)
    }

    /// Whether each of these words is said about a record.
    async fn is_said(
        &self,
        reader: &Reader<'_>,
        record: RecordId,
        asked: &[&str],
    ) -> Result<bool, StoreError> {
        let rows = asked.iter().map(|word| self.comments_with(reader, record, word));
        let rows = try_join_all(rows).await?;
        if rows.iter().any(Vec::is_empty) {
            return Ok(false);
        }
        let ids: HashSet<CommentId> = rows.into_iter().flatten().collect();
        let comments = reader.comments(record, ids.into_iter().collect()).await?;
        Ok(asked
            .iter()
            .all(|word| comments.iter().any(|has| has_word(has.iter().map(String::as_str), word))))
    }

    /// Some comments on a record that have a word, as the index says: the newest.
    async fn comments_with(
        &self,
        reader: &Reader<'_>,
        record: RecordId,
        word: &str,
    ) -> Result<Vec<CommentId>, StoreError> {
        let prefix = word_prefix(record);
        let bounds = (prefix.clone(), format!("{prefix}~"));
        let partition = words_partition(reader, true, word);
        let query = self.query(reader, TableKind::Index, &partition, bounds);
        let query = query.scan_index_forward(false);
        let limit = i32::try_from(WORDS_READ).unwrap_or(i32::MAX);
        let answer = query.limit(limit).send().await.map_err(StoreError::unavailable)?;
        let mut comments = Vec::new();
        for item in answer.items() {
            if has_word(Fields(item).text(WORDS)?.split(' '), word)
                && let SortKey::Word(Worded { comment: Some(id), .. }) = Fields(item).sort_key()?
            {
                comments.push(id);
            }
        }
        comments.truncate(COMMENTS_READ);
        Ok(comments)
    }
}

impl Reader<'_> {
    /// The words of some comments as they are now.
    async fn comments(
        &self,
        record: RecordId,
        ids: Vec<CommentId>,
    ) -> Result<Vec<BTreeSet<String>>, StoreError> {
        let database = &self.store.database;
        let partition = keys::customer_partition(self.customer.id());
        let batches = ids.chunks(Batch::KEYS_MAX).map(|some| {
            let key = |id: &CommentId| items::key(&partition, &SortKey::Comment(record, *id));
            let keys = some.iter().map(key).collect();
            Batch::of(&database.tables.records, keys, &[], true).read(&database.dynamo)
        });
        let mut comments = Vec::new();
        for item in try_join_all(batches).await?.into_iter().flatten() {
            let comment: Revision<Comment> = items::read_revision(&item)?;
            if !comment.deleted {
                comments.push(words::of_comment(&comment.content));
            }
        }
        Ok(comments)
    }
}

fn has_word<'a>(mut words: impl Iterator<Item = &'a str>, asked: &str) -> bool {
    words.any(|word| words::is_asked(word, asked))
}

fn words_partition(reader: &Reader<'_>, is_said: bool, word: &str) -> String {
    let restored_as = &reader.store.database.tables.restored_as;
    keys::words_partition(restored_as, reader.customer.id(), is_said, &beginning_of(word))
}

/// What the sort keys of all words start with that are said about a record.
fn word_prefix(record: RecordId) -> String {
    format!("{}#", SortKey::Word(Worded::record(record)))
}

/// The records that have a word, as far as they were read.
struct WordList {
    found: Vec<RecordId>,
    has: HashSet<RecordId>,
    /// `None`: there are no more.
    stopped_at: Option<RecordId>,
}
