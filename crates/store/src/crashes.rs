//! Crashes of devices, which are no customer's: how many a source has sent, which were sent already,
//! those that wait for Sentry, and the issues whose crashes are to be deleted or were.

use std::time::Duration;

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::ledger::document;
use crate::logins::COUNT;
use crate::transaction::{Refusal, Step, Transaction};
use crate::{Attempt, Listing, Objects, S3Client, Store, StoreError};

/// In a window of attempts. A shift of a factory comes from one address, and a device sends a few
/// envelopes each time that its app is opened.
const SOURCE_CRASHES_MAX: u32 = 1_000;
/// A device that got no answer sends a crash again, when it has a network again.
const REMEMBERED: Duration = Duration::from_secs(72 * 60 * 60);

/// That the crashes of an issue were deleted, as the ledger has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deletion {
    /// Sentry's numbers. The project is not known of an issue that somebody has deleted by hand.
    pub issue: String,
    pub project: Option<String>,
    pub deleted_at: Timestamp,
    /// How many were deleted here that Sentry did not have yet.
    pub kept_here: u64,
}

impl Store {
    /// Counts what `source` sends.
    pub async fn attempt_crash(&self, source: &str, now: Timestamp) -> Result<Attempt, StoreError> {
        self.count_attempt(source, SortKey::crashes, &[(COUNT, SOURCE_CRASHES_MAX)], now).await
    }

    /// Whether a crash was taken before.
    pub async fn knows_crash(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let get = self.dynamo.get_item().table_name(&self.tables.sessions).consistent_read(true);
        let answer = get.set_key(Some(crash_key(id))).send().await;
        let Some(item) = answer.map_err(StoreError::unavailable)?.item else { return Ok(false) };
        // Time to live deletes late.
        Ok(Fields(&item).parse::<i64>(items::EXPIRES_AT)? > now.seconds())
    }

    /// Notes that a crash was taken.
    pub async fn note_crash(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut item = crash_key(id);
        let expires_at = now.after(REMEMBERED).seconds();
        item.insert(items::EXPIRES_AT.to_owned(), items::number(expires_at));
        let put = self.dynamo.put_item().table_name(&self.tables.sessions).set_item(Some(item));
        put.send().await.map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// Notes that the crashes of an issue are to be deleted. False: that is known, or done.
    pub async fn note_resolved(&self, issue: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut item = resolved_key(issue);
        item.insert(items::NOTED_AT.to_owned(), items::number(now.millis()));
        let deleted = items::key(keys::ISSUES_PARTITION, &SortKey::Deleted(issue.to_owned()));
        let noted = Transaction::new(self)
            .put_new(Step::Create, &self.tables.sessions, item)
            .forbid(Step::Create, &self.tables.ledger, deleted)
            .commit()
            .await;
        match noted {
            Ok(()) => Ok(true),
            Err(Refusal::Condition { .. }) => Ok(false),
            Err(Refusal::Store(error)) => Err(error),
        }
    }

    /// The issues that were noted so, and when.
    pub async fn resolved(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let items = self.rows(&self.tables.sessions, keys::ISSUES_PARTITION, "").await?;
        let read = |item| {
            let fields = Fields(item);
            let SortKey::Resolved(issue) = fields.sort_key()? else {
                return Err(fields.damaged(items::SORT));
            };
            Ok((issue, fields.time(items::NOTED_AT)?))
        };
        items.iter().map(read).collect()
    }

    /// Notes for ever that the crashes of an issue were deleted. False: they were before.
    pub async fn note_deleted(&self, deletion: &Deletion) -> Result<bool, StoreError> {
        let sort = SortKey::Deleted(deletion.issue.clone());
        let item = document(keys::ISSUES_PARTITION, &sort, deletion.deleted_at, deletion);
        let noted = self.note_once(item).await?;
        self.forget_resolved(&deletion.issue).await?;
        Ok(noted)
    }

    /// Forgets an issue that is not resolved any more.
    pub async fn forget_resolved(&self, issue: &str) -> Result<(), StoreError> {
        let delete = self.dynamo.delete_item().table_name(&self.tables.sessions);
        let deleted = delete.set_key(Some(resolved_key(issue))).send().await;
        deleted.map_err(StoreError::unavailable)?;
        Ok(())
    }
}

fn crash_key(id: &str) -> Item {
    items::key(&keys::crash_partition(id), &SortKey::Crash)
}

fn resolved_key(issue: &str) -> Item {
    items::key(keys::ISSUES_PARTITION, &SortKey::Resolved(issue.to_owned()))
}

/// The bucket of crashes that Sentry could not take yet. Nothing in it is versioned or backed up: what
/// is deleted is gone.
#[derive(Clone)]
pub struct CrashBucket(Objects);

impl CrashBucket {
    pub fn new(s3: S3Client, bucket: String) -> Self {
        Self(Objects::new(s3, bucket))
    }

    /// Keeps an envelope, under the number of its project and its id: `project/id`.
    pub async fn keep(&self, key: &str, envelope: Vec<u8>) -> Result<(), StoreError> {
        let put = self.0.s3.put_object().bucket(&self.0.bucket).key(key);
        let put = put.content_type("application/x-sentry-envelope").body(envelope.into());
        put.send().await.map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// Up to a thousand, in no order that means anything.
    pub async fn list(&self, from: Option<String>) -> Result<Listing, StoreError> {
        self.0.list(from).await
    }

    /// The envelope at a key; `None`: it is gone.
    pub async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.bytes(key).await
    }

    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let deleted = self.0.s3.delete_object().bucket(&self.0.bucket).key(key).send().await;
        deleted.map_err(StoreError::unavailable)?;
        Ok(())
    }
}
