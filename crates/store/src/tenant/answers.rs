//! Looking for the answer to a request that was made before.

use super::Read;
use super::reads::{FoundItems, Wanted};
use crate::keys::SortKey;
use crate::{Earlier, IdempotencyKey, StoreError, TableKind};

/// The answer to an earlier request of the same user's with this key, about records.
pub struct AnswerKey<'a>(pub &'a IdempotencyKey);

impl Read for AnswerKey<'_> {
    /// `None`: there was none, or it is too long ago.
    type Found = Option<Earlier>;

    fn ask(&self, items: &mut Wanted<'_>) {
        let sort = SortKey::Request(items.user(), self.0.clone());
        items.item(TableKind::Records, sort);
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        let sort = SortKey::Request(items.user(), self.0.clone());
        match items.item(&sort) {
            Some(item) => Earlier::read_unexpired(item, items.now()),
            None => Ok(None),
        }
    }
}

/// The same, about people.
pub struct AnswerOfPeople<'a>(pub &'a IdempotencyKey);

impl Read for AnswerOfPeople<'_> {
    /// `None`: there was none, or it is too long ago.
    type Found = Option<Earlier>;

    fn ask(&self, items: &mut Wanted<'_>) {
        let sort = SortKey::Request(items.user(), self.0.clone());
        items.item(TableKind::Accounts, sort);
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        AnswerKey(self.0).find(items)
    }
}
