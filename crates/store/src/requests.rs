//! Answers that are kept so that a repeated POST is done once: RFC draft "Idempotency-Key". The
//! answer is written in the same transaction as what it answers, into the same table, so that
//! there is no "in progress" and a restored table holds both or neither.

use std::time::Duration;

use domain::{Timestamp, UserId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::items::{self, Fields, Item};
use crate::keys::SortKey;
use crate::{IdempotencyKey, StoreError};

/// How long a repeated request is recognised: a phone that was off over a weekend is.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(72 * 60 * 60);

const FINGERPRINT: &str = "fingerprint";
const ANSWER: &str = "answer";

/// What to remember of the request that is being answered.
#[derive(Clone, Debug)]
pub struct Remember {
    pub(crate) key: IdempotencyKey,
    fingerprint: String,
    answer: String,
    pub(crate) now: Timestamp,
}

impl Remember {
    /// `fingerprint` tells this request from another with the same key; `answer` is what a
    /// repetition is answered from. Neither may hold a secret.
    pub fn new(
        key: IdempotencyKey,
        fingerprint: String,
        answer: &impl Serialize,
        now: Timestamp,
    ) -> Self {
        let answer = serde_json::to_string(answer).expect("answers become JSON");
        Self { key, fingerprint, answer, now }
    }

    pub(crate) fn sort_key(&self, user: UserId) -> SortKey {
        SortKey::Request(user, self.key.clone())
    }

    pub(crate) fn to_item(&self, partition: &str, sort: &SortKey) -> Item {
        let mut item = items::key(partition, sort);
        item.insert(FINGERPRINT.to_owned(), items::text(&self.fingerprint));
        item.insert(ANSWER.to_owned(), items::text(&self.answer));
        let expires_at = self.now.after(REMEMBERED_FOR).seconds();
        item.insert(items::EXPIRES_AT.to_owned(), items::number(expires_at));
        item
    }
}

/// The remembered answer to an earlier request with the same key.
#[derive(Clone, Debug)]
pub struct Earlier {
    fingerprint: String,
    answer: String,
}

impl Earlier {
    pub(crate) fn read(item: &Item) -> Result<Self, StoreError> {
        let fields = Fields(item);
        Ok(Self {
            fingerprint: fields.text(FINGERPRINT)?.to_owned(),
            answer: fields.text(ANSWER)?.to_owned(),
        })
    }

    /// Like [`Earlier::read`], for an item that may have expired.
    pub(crate) fn read_unexpired(item: &Item, now: Timestamp) -> Result<Option<Self>, StoreError> {
        let expires_at: i64 = Fields(item).parse(items::EXPIRES_AT)?;
        if expires_at < now.seconds() { Ok(None) } else { Self::read(item).map(Some) }
    }

    /// The answer, if the earlier request was the same as the one with `fingerprint`; `None` if
    /// the key was used for another one.
    ///
    /// # Errors
    /// The answer was written in a form that is no longer understood.
    pub fn answer<T: DeserializeOwned>(&self, fingerprint: &str) -> Result<Option<T>, StoreError> {
        if self.fingerprint != fingerprint {
            return Ok(None);
        }
        serde_json::from_str(&self.answer).map(Some).map_err(StoreError::broken)
    }
}
