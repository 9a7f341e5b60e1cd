//! The objects of a bucket, as both rooms see them.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::ChecksumMode;
use domain::appendix::Declared;
use domain::{AppendixId, Digest, RecordId, VersionNumber};

use crate::{Announced, Customer, ObjectKey, StoreError};

/// The bucket of appendices. Cheap to clone.
#[derive(Clone)]
pub struct Objects {
    pub(crate) s3: Client,
    /// By which links are signed.
    pub(crate) links: Client,
    pub(crate) bucket: String,
}

/// What the bucket knows of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectFacts {
    pub bytes: u64,
    pub content_type: String,
    /// Base64, as S3 gives it.
    pub sha256: Option<String>,
}

impl ObjectFacts {
    pub fn are_as_declared(&self, declared: &Declared) -> bool {
        self.bytes == declared.bytes.get()
            && self.content_type == declared.content_type.as_str()
            && self.sha256.as_deref() == Some(declared.sha256.to_base64().as_str())
    }
}

impl ObjectKey {
    pub fn new(
        customer: &Customer,
        record: RecordId,
        appendix: AppendixId,
        number: VersionNumber,
    ) -> Self {
        Self { customer: customer.id(), record, appendix, number }
    }

    /// The digest of an object as a manifest counts it: of its key, its size, and its SHA-256 in
    /// base64.
    pub(crate) fn digest(&self, bytes: u64, sha256: &str) -> Digest {
        Digest::of(&[self.to_string().as_bytes(), &bytes.to_le_bytes(), sha256.as_bytes()])
    }
}

impl Objects {
    pub fn new(s3: Client, bucket: String) -> Self {
        Self { links: s3.clone(), s3, bucket }
    }

    /// The same, with links to where others find it.
    #[must_use]
    pub fn with_links(self, links: Client) -> Self {
        Self { links, ..self }
    }

    /// Takes away what came after its appendix was deleted. The bytes stay as a version that nobody is shown.
    pub async fn sweep(&self, Announced(key): &Announced) -> Result<(), StoreError> {
        let swept = self.s3.delete_object().bucket(&self.bucket).key(key.to_string()).send().await;
        swept.map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// What is at `key`, if anything is.
    pub async fn facts(&self, key: &Announced) -> Result<Option<ObjectFacts>, StoreError> {
        self.facts_of(key, None).await
    }

    /// The same of one version of it.
    pub(crate) async fn facts_of(
        &self,
        Announced(key): &Announced,
        version: Option<&str>,
    ) -> Result<Option<ObjectFacts>, StoreError> {
        let head = self
            .s3
            .head_object()
            .bucket(&self.bucket)
            .key(key.to_string())
            .set_version_id(version.map(str::to_owned))
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        match head {
            Ok(head) => Ok(Some(ObjectFacts {
                bytes: head.content_length().and_then(|n| n.try_into().ok()).unwrap_or(0),
                content_type: head.content_type().unwrap_or_default().to_owned(),
                // One of parts is no hash of the bytes.
                sha256: head
                    .checksum_sha256()
                    .filter(|hash| !hash.contains('-'))
                    .map(str::to_owned),
            })),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => {
                Ok(None)
            }
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }
}
