//! Crashes of devices, which are no customer's: how many a source has sent, which were sent already,
//! those that have to wait for Sentry, and that an issue is resolved.

use std::time::Duration;

use domain::Timestamp;

use super::Attempt;
use super::logins::COUNT;
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::transaction::{Refusal, Step, Transaction};
use crate::{S3Client, Store, StoreError, TableKind};

/// In a window of attempts. A shift of a factory comes from one address, and a device sends a few
/// envelopes each time that its app is opened.
const SOURCE_CRASHES_MAX: u32 = 1_000;
/// A device that got no answer sends a crash again, when it has a network again.
const REMEMBERED: Duration = Duration::from_secs(72 * 60 * 60);

impl Store {
    /// Counts what `source` sends.
    pub async fn attempt_crash(&self, source: &str, now: Timestamp) -> Result<Attempt, StoreError> {
        self.count_attempt(source, SortKey::crashes, &[(COUNT, SOURCE_CRASHES_MAX)], now).await
    }

    /// Whether a crash was taken before.
    pub async fn knows_crash(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let sessions = &self.database.tables.sessions;
        let Some(item) = self.database.item(sessions, crash_key(id)).await? else {
            return Ok(false);
        };
        // Time to live deletes late.
        Ok(Fields(&item).parse::<i64>(items::EXPIRES_AT)? > now.seconds())
    }

    /// Notes that a crash was taken.
    pub async fn note_crash(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut item = crash_key(id);
        let expires_at = now.after(REMEMBERED).seconds();
        item.insert(items::EXPIRES_AT.to_owned(), items::number(expires_at));
        self.database.put(&self.database.tables.sessions, item).await
    }

    /// Notes that the crashes of an issue are to be deleted. False: that is known, or done.
    pub async fn note_resolved(&self, issue: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut item = resolved_key(issue);
        item.insert(items::NOTED_AT.to_owned(), items::number(now.millis()));
        let deleted = items::key(keys::ISSUES_PARTITION, &SortKey::Deleted(issue.to_owned()));
        let noted = Transaction::new(&self.database)
            .put_new(Step::Create, TableKind::Sessions, item)
            .forbid(Step::Create, TableKind::Ledger, deleted)
            .commit()
            .await;
        match noted {
            Ok(()) => Ok(true),
            Err(Refusal::Condition { .. }) => Ok(false),
            Err(Refusal::Store(error)) => Err(error),
        }
    }
}

fn crash_key(id: &str) -> Item {
    items::key(&keys::crash_partition(id), &SortKey::Crash)
}

fn resolved_key(issue: &str) -> Item {
    items::key(keys::ISSUES_PARTITION, &SortKey::Resolved(issue.to_owned()))
}

/// The bucket of crashes that Sentry could not take yet. Nothing in it is versioned or backed up.
#[derive(Clone)]
pub struct CrashBucket {
    s3: S3Client,
    bucket: String,
}

impl CrashBucket {
    pub fn new(s3: S3Client, bucket: String) -> Self {
        Self { s3, bucket }
    }

    /// Keeps an envelope, under the number of its project and its id: `project/id`.
    pub async fn keep(&self, key: &str, envelope: Vec<u8>) -> Result<(), StoreError> {
        let put = self.s3.put_object().bucket(&self.bucket).key(key);
        let put = put.content_type("application/x-sentry-envelope").body(envelope.into());
        put.send().await.map_err(StoreError::unavailable)?;
        Ok(())
    }
}
