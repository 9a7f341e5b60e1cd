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

    /// What is kept at `key`, which has to be there.
    pub async fn read(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        let found = self.find(key).await?;
        let missing = || std::io::Error::other(format!("{key} is not in the evidence"));
        found.ok_or_else(|| StoreError::broken(missing()))
    }

    /// What is kept at `key`; `None`: nothing is.
    pub async fn find(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let kept = self.s3.get_object().bucket(&self.bucket).key(key).send().await;
        match kept {
            Ok(kept) => {
                let bytes = kept.body.collect().await.map_err(StoreError::broken)?;
                Ok(Some(bytes.to_vec()))
            }
            Err(error) if error.code() == Some("NoSuchKey") => Ok(None),
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    /// Every key that starts so.
    pub async fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let list = self.s3.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let mut pages = list.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(StoreError::unavailable)?;
            keys.extend(page.contents().iter().filter_map(|it| it.key().map(str::to_owned)));
        }
        Ok(keys)
    }
}
