//! Evidence of what was backed up: manifests and reports of verifications, in a bucket of their own.
//! Each is written once and never again.

use aws_sdk_s3::error::ProvideErrorMetadata as _;

use crate::{S3Client, StoreError};

/// The bucket of evidence. Cheap to clone.
#[derive(Clone)]
pub struct Evidence {
    s3: S3Client,
    bucket: String,
}

impl Evidence {
    pub fn new(s3: S3Client, bucket: String) -> Self {
        Self { s3, bucket }
    }

    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Keeps a document at `key`, unless there is one already: an event that comes twice, or again
    /// after half of it was done, changes nothing. What is kept there now.
    pub async fn keep(&self, key: &str, document: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let kept = self
            .s3
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type("application/json")
            .if_none_match("*")
            .body(document.clone().into())
            .send()
            .await;
        match kept {
            Ok(_) => Ok(document),
            Err(error) if error.code() == Some("PreconditionFailed") => self.read(key).await,
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    /// What is kept at `key`.
    pub async fn read(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        let kept = self.s3.get_object().bucket(&self.bucket).key(key).send().await;
        let body = kept.map_err(StoreError::unavailable)?.body;
        let bytes = body.collect().await.map_err(StoreError::broken)?;
        Ok(bytes.to_vec())
    }
}
