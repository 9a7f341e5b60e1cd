//! Records by their words: the lists of all that were asked for, read at once.

use std::collections::{BTreeSet, HashSet};

use domain::{RecordId, words};
use futures_util::future::try_join_all;

use super::Reader;
use super::find::{Candidates, FindRecords, by_id};
use crate::StoreError;
use crate::batch::Batch;
use crate::index::ChangeTime;
use crate::items::{self, Fields};
use crate::keys::{self, SortKey};
use crate::words::{WORDS, beginning_of};

/// So many items of words are read at once: some 20 kB, five read units.
const WORDS_READ: usize = 200;

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
