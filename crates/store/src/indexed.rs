//! What is found by its words: a record, or what somebody says about one. And what the index has of it.

use std::collections::BTreeSet;
use std::fmt;

use domain::{
    Comment, CommentId, CustomerId, Record, RecordId, Revision, Timestamp, Version, words,
};

use crate::Tables;
use crate::index::{self, Place};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};

/// What has words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Worded {
    /// What is found by them.
    pub(crate) record: RecordId,
    /// That which has them, where it is not the record itself.
    pub(crate) comment: Option<CommentId>,
}

impl Worded {
    pub(crate) const fn record(record: RecordId) -> Self {
        Self { record, comment: None }
    }

    pub(crate) const fn comment(record: RecordId, comment: CommentId) -> Self {
        Self { record, comment: Some(comment) }
    }

    /// The sort key of the thing.
    pub(crate) const fn thing(&self) -> SortKey {
        match self.comment {
            Some(comment) => SortKey::Comment(self.record, comment),
            None => SortKey::Record(self.record),
        }
    }
}

impl fmt::Display for Worded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.record)?;
        self.comment.iter().try_for_each(|comment| write!(f, "#{comment}"))
    }
}

/// A change whose words are to be written yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unindexed {
    pub(crate) at: Timestamp,
    pub(crate) customer: CustomerId,
    pub(crate) of: Worded,
    pub(crate) version: Version,
}

impl Unindexed {
    pub(crate) fn key(&self, tables: &Tables) -> Item {
        let number = keys::unindexed_number(&self.of);
        let partition = keys::unindexed_partition(&tables.restored_as, number);
        items::key(&partition, &SortKey::Unindexed(*self))
    }
}

/// Such a thing, as it was read or is written.
#[derive(Debug)]
pub(crate) struct Indexed {
    pub(crate) customer: CustomerId,
    pub(crate) of: Worded,
    pub(crate) version: Version,
    pub(crate) changed_at: Timestamp,
    pub(crate) deleted: bool,
    /// None, where it was deleted.
    pub(crate) words: BTreeSet<String>,
    /// Where it stands in lists: only records do.
    pub(crate) places: Vec<Place>,
}

impl Indexed {
    pub(crate) fn record(customer: CustomerId, id: RecordId, revision: &Revision<Record>) -> Self {
        let places = index::places_of(id, revision);
        Self::new(customer, Worded::record(id), revision, words::of_record, places)
    }

    pub(crate) fn comment(
        customer: CustomerId,
        (record, id): (RecordId, CommentId),
        revision: &Revision<Comment>,
    ) -> Self {
        let of = Worded::comment(record, id);
        Self::new(customer, of, revision, words::of_comment, Vec::new())
    }

    fn new<T>(
        customer: CustomerId,
        of: Worded,
        revision: &Revision<T>,
        words: fn(&T) -> BTreeSet<String>,
        places: Vec<Place>,
    ) -> Self {
        let &Revision { version, changed_at, deleted, .. } = revision;
        let words = if deleted { BTreeSet::new() } else { words(&revision.content) };
        Self { customer, of, version, changed_at, deleted, words, places }
    }

    /// Of an item, if it is that of such a thing, and can be read.
    pub(crate) fn read(item: &Item) -> Option<Self> {
        let fields = Fields(item);
        let customer = fields.parse(items::PARTITION).ok()?;
        match fields.sort_key().ok()? {
            SortKey::Record(id) => {
                Some(Self::record(customer, id, &items::read_revision(item).ok()?))
            }
            SortKey::Comment(record, id) => {
                let revision = items::read_revision(item).ok()?;
                Some(Self::comment(customer, (record, id), &revision))
            }
            _ => None,
        }
    }

    /// The same after a tombstone.
    pub(crate) fn erased_by<T>(&self, tombstone: &Revision<T>) -> Self {
        let &Revision { version, changed_at, deleted, .. } = tombstone;
        let (words, places) = (BTreeSet::new(), Vec::new());
        Self { customer: self.customer, of: self.of, version, changed_at, deleted, words, places }
    }

    pub(crate) fn unindexed(&self) -> Unindexed {
        let &Self { customer, of, version, changed_at: at, .. } = self;
        Unindexed { at, customer, of, version }
    }
}
