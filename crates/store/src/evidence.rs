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
    /// Where the manifest is, in the bucket of evidence.
    pub manifest: String,
    /// How many revisions, and the digest of them all.
    pub revisions: u64,
    pub digest: String,
}

impl Evidence {
    pub fn new(dynamo: DynamoClient, ledger: String, s3: S3Client, bucket: String) -> Self {
        Self { dynamo, ledger, s3, bucket }
    }

    /// Keeps a manifest at `key`, unless there is one already: an event that comes twice, or again
    /// after half of it was done, changes nothing. What is kept there now.
    pub async fn keep(&self, key: &str, manifest: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let kept = self
            .s3
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type("application/json")
            .if_none_match("*")
            .body(manifest.clone().into())
            .send()
            .await;
        match kept {
            Ok(_) => return Ok(manifest),
            Err(error) if error.code() == Some("PreconditionFailed") => {}
            Err(error) => return Err(StoreError::unavailable(error)),
        }
        let earlier = self.s3.get_object().bucket(&self.bucket).key(key).send().await;
        let body = earlier.map_err(StoreError::unavailable)?.body;
        let bytes = body.collect().await.map_err(StoreError::unavailable)?;
        Ok(bytes.to_vec())
    }

    /// Notes a run whose manifest is kept, unless it is noted already. Whether it was now.
    pub async fn note_run(&self, run: &BackupRun) -> Result<bool, StoreError> {
        let mut item = items::key(keys::BACKUPS_PARTITION, &SortKey::BackupRun(run.scheduled_at));
        item.insert("cut_ms".to_owned(), items::number(run.cut.millis()));
        item.insert("opened_at_ms".to_owned(), items::number(run.opened_at.millis()));
        item.insert("manifest".to_owned(), items::text(&run.manifest));
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
