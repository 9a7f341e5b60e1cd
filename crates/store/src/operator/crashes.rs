//! Crashes that wait for Sentry, and the issues whose crashes are to be deleted or were.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Bucket, ObjectPage, Operator};
use crate::items::{self, Fields};
use crate::keys::{self, SortKey};
use crate::tables::document;
use crate::{S3Client, StoreError};

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

impl Operator {
    /// The issues that were noted so, and when.
    pub async fn resolved(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let items =
            self.database.rows(&self.database.tables.sessions, keys::ISSUES_PARTITION, "").await?;
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
        let noted = self.database.put_once(item).await?;
        self.forget_resolved(&deletion.issue).await?;
        Ok(noted)
    }

    /// Forgets an issue that is not resolved any more.
    pub async fn forget_resolved(&self, issue: &str) -> Result<(), StoreError> {
        let key = items::key(keys::ISSUES_PARTITION, &SortKey::Resolved(issue.to_owned()));
        self.database.delete(&self.database.tables.sessions, key).await
    }
}

/// The crashes that wait in their bucket. What is deleted there is gone.
#[derive(Clone)]
pub struct WaitingCrashes(Bucket);

impl WaitingCrashes {
    pub fn new(s3: S3Client, bucket: String) -> Self {
        Self(Bucket::new(s3, bucket))
    }

    /// Up to a thousand, in no order that means anything.
    pub async fn list(&self, from: Option<String>) -> Result<ObjectPage, StoreError> {
        self.0.list(from).await
    }

    /// The envelope at a key; `None`: it is gone.
    pub async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.bytes(key).await
    }

    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.0.delete(key).await
    }
}
