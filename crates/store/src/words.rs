//! The words that records are found by: their own, and those of what people say about them. For each word, a thing has an item below the first three signs of the word, and
//! one below its first six, as far as the word has them. A word with a digit also has one below its first four, and one
//! below its first five. What somebody has typed of a word leads to a list that is short, and sorted by record. An item
//! says which words it stands for.
//!
//! They are written in the transaction of the change, as long as they fit. Of a change of more words, the transaction
//! says that they are to be written (`UNINDEXED`), and they are right after it: whoever is cut off in between leaves that
//! behind, and the sweep does it (`operator::index`). Words that are too many cannot do harm: each record that is found
//! is held against the question itself.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use domain::{CustomerId, words};
use futures_util::future::try_join_all;

use crate::batch::Batch;
use crate::indexed::{Indexed, Unindexed, Worded};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::tables::Database;
use crate::transaction::backoff;
use crate::{StoreError, TableKind};

/// The words that an item stands for.
pub(crate) const WORDS: &str = "words";
/// Beginnings that a record had words of, and may not have any more.
pub(crate) const GONE: &str = "gone";
/// Keys of the index that a record had, and may not have any more.
pub(crate) const LEFT: &str = "left";

/// The lengths of beginnings, in characters.
const LENGTHS: &[usize] = &[words::BEGINNING_CHARS_MIN, 6];
/// Those of words with a digit: of numbers that are counted up, thousands begin with the same three.
const LENGTHS_OF_NUMBERS: &[usize] = &[words::BEGINNING_CHARS_MIN, 4, 5, 6];

/// Of a word, or of what was typed of it: a word has a digit, if its beginning has one.
fn lengths(word: &str) -> &'static [usize] {
    if word.chars().any(char::is_numeric) { LENGTHS_OF_NUMBERS } else { LENGTHS }
}

/// Most items that DynamoDB writes in one request.
const WRITES_MAX: usize = 25;
const REQUESTS_AT_ONCE: usize = 4;
/// So often a batch is sent again of which the table has not taken all.
const ATTEMPTS_MAX: u32 = 10;

/// By beginning, the words of a record that begin so.
pub(crate) type Beginnings = BTreeMap<String, BTreeSet<String>>;

/// Of these words.
pub(crate) fn beginnings(words: &BTreeSet<String>) -> Beginnings {
    let mut beginnings = Beginnings::new();
    for word in words {
        let mut add = |start: String| {
            beginnings.entry(start).or_default().insert(word.clone());
        };
        if word.chars().nth(words::BEGINNING_CHARS_MIN - 1).is_none() {
            add(word.clone());
        }
        for length in lengths(word) {
            if word.chars().nth(length - 1).is_some() {
                add(word.chars().take(*length).collect());
            }
        }
    }
    beginnings
}

/// The beginning below which all words stand that begin like `asked`. Of one or two characters, only these words do.
pub(crate) fn beginning_of(asked: &str) -> String {
    let count = asked.chars().count();
    let length = lengths(asked).iter().rev().find(|length| **length <= count);
    asked.chars().take(*length.unwrap_or(&count)).collect()
}

/// The words that a change brings and takes.
pub(crate) struct WordChange {
    unindexed: Unindexed,
    new: Beginnings,
    gone: Vec<String>,
}

impl WordChange {
    /// `None`: the words stay as they are.
    pub(crate) fn of(before: Option<&Indexed>, after: &Indexed) -> Option<Self> {
        let before = before.map(|it| beginnings(&it.words)).unwrap_or_default();
        let mut new = beginnings(&after.words);
        let gone: Vec<String> =
            before.keys().filter(|start| !new.contains_key(*start)).cloned().collect();
        new.retain(|start, words| before.get(start) != Some(words));
        let unindexed = after.unindexed();
        (!new.is_empty() || !gone.is_empty()).then_some(Self { unindexed, new, gone })
    }

    /// How many items it is.
    pub(crate) fn len(&self) -> usize {
        self.new.len() + self.gone.len()
    }

    /// What is put and what is deleted.
    pub(crate) fn items(&self, database: &Database) -> (Vec<Item>, Vec<Item>) {
        let Unindexed { customer, of, .. } = self.unindexed;
        let new = self.new.iter();
        let new = new.map(|(start, words)| item(database, customer, of, start, words));
        let gone = self.gone.iter().map(|start| key(database, customer, of, start));
        (new.collect(), gone.collect())
    }

    /// What a change writes that its words do not fit: that they are to be written.
    pub(crate) fn to_do(&self, database: &Database) -> Item {
        let mut item = self.unindexed.key(&database.tables);
        if !self.gone.is_empty() {
            item.insert(GONE.to_owned(), items::text(self.gone.join(" ")));
        }
        item
    }

    /// Writes the words that are new, now that the change is made. What is gone is left to the sweep, for a change that
    /// comes meanwhile may have it again; and so is all of it where such a change has come.
    pub(crate) async fn write(mut self, database: &Database) -> Result<(), StoreError> {
        let (new, gone) = self.items(database);
        write_all(database, new.into_iter().map(put).collect()).await?;
        let table = database.tables.name(TableKind::Index);
        if !self.is_newest(database).await? {
            self.gone.extend(std::mem::take(&mut self.new).into_keys());
            return database.put(table, self.to_do(database)).await;
        }
        if gone.is_empty() {
            database.delete(table, self.unindexed.key(&database.tables)).await?;
        }
        Ok(())
    }

    /// Whether the thing is still as the change has left it.
    async fn is_newest(&self, database: &Database) -> Result<bool, StoreError> {
        let Unindexed { customer, of, version, .. } = self.unindexed;
        let key = items::key(&keys::customer_partition(customer), &of.thing());
        let records = database.tables.name(TableKind::Records);
        let found = Batch::of(records, vec![key], &[items::VERSION], true).read(&database.dynamo);
        let found = found.await?;
        Ok(found.first().is_some_and(|it| Fields(it).parse(items::VERSION).ok() == Some(version)))
    }
}

/// The item that says which words a thing has that begin alike.
fn item(
    database: &Database,
    customer: CustomerId,
    of: Worded,
    start: &str,
    words: &BTreeSet<String>,
) -> Item {
    let mut item = key(database, customer, of, start);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    item.insert(WORDS.to_owned(), items::text(words.join(" ")));
    item
}

/// That a thing is to be looked at again, whose items of the index were written as it was read, and which was changed
/// meanwhile.
pub(crate) fn to_look_at(database: &Database, read: &Indexed) -> Item {
    let gone = beginnings(&read.words).into_keys().collect();
    let change = WordChange { unindexed: read.unindexed(), new: Beginnings::new(), gone };
    let mut item = change.to_do(database);
    let keys = read.places.iter().map(|place| {
        let key = place.item(&database.tables, read.customer);
        let part = |name| Fields(&key).text(name).unwrap_or_default().to_owned();
        format!("{} {}", part(items::PARTITION), part(items::SORT))
    });
    item.insert(LEFT.to_owned(), items::text(keys.collect::<Vec<_>>().join("\n")));
    item
}

/// The keys that [`to_look_at`] has noted.
pub(crate) fn left(item: &Item) -> Vec<Item> {
    let text = Fields(item).text(LEFT).unwrap_or_default();
    let keys = text.lines().filter_map(|line| line.split_once(' '));
    keys.map(|(partition, sort)| {
        Item::from([
            (items::PARTITION.to_owned(), items::text(partition)),
            (items::SORT.to_owned(), items::text(sort)),
        ])
    })
    .collect()
}

pub(crate) fn key(database: &Database, customer: CustomerId, of: Worded, start: &str) -> Item {
    let restored_as = &database.tables.restored_as;
    let partition = keys::words_partition(restored_as, customer, of.comment.is_some(), start);
    items::key(&partition, &SortKey::Word(of))
}

/// All items that the index has of a thing: its words and its places.
pub(crate) fn all_items(database: &Database, thing: &Indexed) -> Vec<Item> {
    let &Indexed { customer, of, .. } = thing;
    let words = beginnings(&thing.words);
    let words = words.iter().map(|(start, words)| item(database, customer, of, start, words));
    let places = thing.places.iter().map(|place| place.item(&database.tables, customer));
    words.chain(places).collect()
}

pub(crate) fn put(item: Item) -> WriteRequest {
    let put = PutRequest::builder().set_item(Some(item)).build().expect("the item is set");
    WriteRequest::builder().put_request(put).build()
}

/// Writes to the index, in as many requests as there have to be, some at a time.
pub(crate) async fn write_all(
    database: &Database,
    writes: Vec<WriteRequest>,
) -> Result<(), StoreError> {
    for some in writes.chunks(WRITES_MAX * REQUESTS_AT_ONCE) {
        try_join_all(some.chunks(WRITES_MAX).map(|some| write(database, some.to_vec()))).await?;
    }
    Ok(())
}

async fn write(database: &Database, mut writes: Vec<WriteRequest>) -> Result<(), StoreError> {
    let table = database.tables.name(TableKind::Index);
    for attempt in 0..ATTEMPTS_MAX {
        if writes.is_empty() {
            return Ok(());
        }
        if attempt > 0 {
            tokio::time::sleep(backoff(attempt)).await;
        }
        let request = database.dynamo.batch_write_item().request_items(table, writes);
        let answer = request.send().await.map_err(StoreError::unavailable)?;
        let refused = answer.unprocessed_items.unwrap_or_default();
        writes = refused.into_values().flatten().collect();
    }
    if writes.is_empty() { Ok(()) } else { Err(StoreError::Busy) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(title: &str) -> BTreeSet<String> {
        let record = serde_json::json!({ "type": "note", "title": title });
        words::of_record(&serde_json::from_value(record).unwrap())
    }

    #[test]
    fn a_word_stands_below_its_beginnings() {
        let found = beginnings(&words_of("Bromscylinder broms M8"));
        let starts: Vec<(&str, usize)> =
            found.iter().map(|(start, words)| (start.as_str(), words.len())).collect();
        assert_eq!(starts, [("bro", 2), ("bromsc", 1), ("m8", 1)]);
        let found = beginnings(&words_of("DEV-1042"));
        let starts: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(starts, ["104", "1042", "dev", "dev1", "dev10", "dev104"]);
        assert_eq!([beginning_of("1042"), beginning_of("10423")], ["1042", "10423"]);
        for (asked, start) in
            [("m8", "m8"), ("bro", "bro"), ("broms", "bro"), ("bromscy", "bromsc")]
        {
            assert_eq!(beginning_of(asked), start);
        }
    }

    #[test]
    fn every_word_is_found_by_each_of_its_beginnings() {
        let title = "Läckage vid pump 3: tätning SKF6205-2RS";
        let found = beginnings(&words_of(title));
        for word in words_of(title) {
            for length in 3..=word.chars().count() {
                let asked: String = word.chars().take(length).collect();
                assert!(found[&beginning_of(&asked)].contains(&word), "{asked}");
            }
            assert!(found[&beginning_of(&word)].contains(&word));
        }
    }
}
