//! Evidence of what was backed up and when: manifests in a bucket of their own, and a ledger. Each is
//! written once and never again.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use domain::Timestamp;

use crate::items;
use crate::keys::{self, SortKey};
use crate::{DynamoClient, S3Client, StoreError};

/// Where evidence is kept. Cheap to clone.
#[derive(Clone)]
pub struct Evidence {
    dynamo: DynamoClient,
    ledger: String,
    s3: S3Client,
    bucket: String,
}

/// The opening of one evening's backup run, as the ledger has it.
#[derive(Clone, Debug)]
pub struct BackupRun {
    pub scheduled_at: Timestamp,
    /// Everything committed before is in the manifest.
    pub cut: Timestamp,
    pub opened_at: Timestamp,
    /// How many revisions, and the digest of them all.
    pub revisions: u64,
    pub digest: String,
}

impl BackupRun {
    /// Where the manifest of the run is, in the bucket of evidence.
    pub fn manifest_key(&self) -> String {
        format!("manifests/{}.json", self.scheduled_at)
    }
}

impl Evidence {
    pub fn new(dynamo: DynamoClient, ledger: String, s3: S3Client, bucket: String) -> Self {
        Self { dynamo, ledger, s3, bucket }
    }

    /// Keeps the manifest of a run and then notes the run, each unless it is there already: an event
    /// that comes twice, or again after half of it was done, does no harm. Whether it was noted now.
    pub async fn open_run(&self, run: &BackupRun, manifest: Vec<u8>) -> Result<bool, StoreError> {
        let kept = self
            .s3
            .put_object()
            .bucket(&self.bucket)
            .key(run.manifest_key())
            .content_type("application/json")
            .if_none_match("*")
            .body(manifest.into())
            .send()
            .await;
        match kept {
            Err(error) if error.code() != Some("PreconditionFailed") => {
                return Err(StoreError::unavailable(error));
            }
            _ => {}
        }
        let mut item = items::key(keys::BACKUPS_PARTITION, &SortKey::BackupRun(run.scheduled_at));
        item.insert("cut_ms".to_owned(), items::number(run.cut.millis()));
        item.insert("opened_at_ms".to_owned(), items::number(run.opened_at.millis()));
        item.insert("manifest".to_owned(), items::text(run.manifest_key()));
        item.insert("revisions".to_owned(), items::number(run.revisions));
        item.insert("digest".to_owned(), items::text(&run.digest));
        let noted = self
            .dynamo
            .put_item()
            .table_name(&self.ledger)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", items::PARTITION)
            .send()
            .await;
        match noted {
            Ok(_) => Ok(true),
            Err(error)
                if matches!(
                    error.as_service_error(),
                    Some(PutItemError::ConditionalCheckFailedException(_))
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }
}
