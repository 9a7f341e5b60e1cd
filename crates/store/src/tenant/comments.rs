//! What people say about records.

use domain::{Comment, CommentId, Record, RecordId, Revision};

use super::reads::{FoundItems, Wanted};
use super::{Ask, Lookup, Read, Reader, Session};
use crate::followers::Readers;
use crate::indexed::Indexed;
use crate::items::{self, Fields};
use crate::keys::{self, SortKey};
use crate::notices::Notices;
use crate::transaction::Transaction;
use crate::words::WordChange;
use crate::{Remember, Store, StoreError, TableKind, WriteError};

/// A comment of the customer's.
pub struct CommentKey(pub RecordId, pub CommentId);

impl Read for CommentKey {
    type Found = Lookup<Comment>;

    fn ask(&self, items: &mut Wanted<'_>) {
        items.item(TableKind::Records, SortKey::Comment(self.0, self.1));
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        items.thing(&SortKey::Comment(self.0, self.1))
    }
}

/// The comments on a record, the newest first: those that were deleted are left out.
pub struct ListComments {
    pub record: RecordId,
    /// From 1 to [`crate::PAGE_ITEMS_MAX`].
    pub limit: u16,
    /// Only comments with a lower id than this.
    pub before: Option<CommentId>,
}

#[derive(Debug)]
pub struct CommentPage {
    pub comments: Vec<(CommentId, Revision<Comment>)>,
    /// Where the next page starts; `None` at the end.
    pub next_before: Option<CommentId>,
}

impl Ask for ListComments {
    type Answer = CommentPage;

    async fn ask(self, reader: Reader<'_>) -> Result<CommentPage, StoreError> {
        let partition = keys::customer_partition(reader.customer.id());
        let start =
            self.before.map(|id| items::key(&partition, &SortKey::Comment(self.record, id)));
        let answer = reader
            .query(&keys::comments_prefix(self.record))
            .scan_index_forward(false)
            .limit(i32::from(self.limit))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let more = answer.last_evaluated_key.is_some();
        let mut comments = Vec::new();
        for item in answer.items.unwrap_or_default() {
            let SortKey::Comment(_, id) = Fields(&item).sort_key()? else {
                return Err(Fields(&item).damaged("a comment's key"));
            };
            comments.push((id, items::read_revision::<Comment>(&item)?));
        }
        let next_before = comments.last().map(|(id, _)| *id).filter(|_| more);
        comments.retain(|(_, comment)| !comment.deleted);
        Ok(CommentPage { comments, next_before })
    }
}

/// A comment that is written on a record, both as they were seen.
pub struct CommentChange<'a> {
    pub record: RecordId,
    pub of: &'a Revision<Record>,
    pub id: CommentId,
    /// None: it is new.
    pub seen: Option<&'a Revision<Comment>>,
    /// A first version, or the next one, be it new words or a tombstone.
    pub next: &'a Revision<Comment>,
}

impl Store {
    /// Writes a comment, if its record is there. `Stale` with no version: that is gone.
    pub async fn write_comment(
        &self,
        session: &Session,
        change: CommentChange<'_>,
        remember: Option<&Remember>,
        readers: &Readers,
    ) -> Result<(), WriteError> {
        let CommentChange { record, of, id, seen, next } = change;
        let (customer, sort) = (&session.customer, SortKey::Comment(record, id));
        let change = Transaction::new(&self.database);
        let change = match seen {
            None => change.create(customer, &sort, next),
            Some(_) => change.replace(customer, &sort, next),
        };
        let change = change
            .knowing(readers.lane)
            .require(customer, &SortKey::Record(record))
            .notify(
                customer.id(),
                Notices::of_comment((record, of), id, seen, next, &readers.followers),
            )
            .remember_where_named(customer, session.user, remember);
        let indexed = |revision| Indexed::comment(customer.id(), (record, id), revision);
        let words = WordChange::of(seen.map(indexed).as_ref(), &indexed(next));
        self.commit_with_words(change, words).await
    }
}
