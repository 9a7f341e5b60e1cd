//! What people say about records.

use domain::{Comment, CommentId, RecordId, Revision};

use super::reads::{FoundItems, Wanted};
use super::{Ask, Lookup, Read, Reader, Session};
use crate::feed::KnownEnd;
use crate::items::{self, Fields};
use crate::keys::{self, SortKey};
use crate::transaction::Transaction;
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

impl Store {
    /// Writes a comment on a record that is there: a first version, or the next one of one that is as it was seen, be
    /// it new words or a tombstone. `Stale` with no version: the record is gone.
    pub async fn write_comment(
        &self,
        session: &Session,
        of: &CommentKey,
        revision: &Revision<Comment>,
        remember: Option<&Remember>,
        lane: KnownEnd,
    ) -> Result<(), WriteError> {
        let (customer, sort) = (&session.customer, SortKey::Comment(of.0, of.1));
        let change = Transaction::new(&self.database);
        let change = if revision.version == domain::Version::FIRST {
            change.create(customer, &sort, revision)
        } else {
            change.replace(customer, &sort, revision)
        };
        change
            .knowing(lane)
            .require(customer, &SortKey::Record(of.0))
            .remember_where_named(customer, session.user, remember)
            .commit()
            .await
            .map_err(WriteError::from)
    }
}
