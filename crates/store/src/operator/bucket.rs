//! A bucket as a whole, or a restored copy of it: what it holds, whoever's it is, and how it is protected.

use std::time::Duration;

use aws_sdk_s3::Config;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::types::{BucketVersioningStatus, ChecksumAlgorithm, ObjectStorageClass};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::{Digest, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::{Announced, Objects, S3Client, StoreError};

/// An object by its key, which may be no key of ours.
#[derive(Clone, Debug)]
pub struct StoredObject {
    pub key: String,
    /// When it came into this bucket: into a copy, by the restore.
    pub modified_at: Timestamp,
}

/// Some of what a bucket holds, in the order of the keys.
#[derive(Clone, Debug)]
pub struct ObjectPage {
    pub objects: Vec<StoredObject>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<String>,
}

/// S3 answers when it has copied and hashed all of it: of a gigabyte, after a while.
fn copies_within() -> TimeoutConfig {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    TimeoutConfig::builder()
        .operation_attempt_timeout(minutes(5))
        .operation_timeout(minutes(10))
        .build()
}

/// A bucket, as an operator has it. Cheap to clone.
#[derive(Clone)]
pub struct Bucket(Objects);

/// How a bucket is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketState {
    pub versioned: bool,
    /// EventBridge is told of what arrives: without it, AWS Backup is not either.
    pub announces: bool,
    /// Of the first thousand objects, all are in a class that keeps them in three zones.
    pub in_three_zones: bool,
}

impl Bucket {
    pub fn new(s3: S3Client, bucket: String) -> Self {
        Self(Objects::new(s3, bucket))
    }

    /// Another bucket of the same account: a restored copy.
    #[must_use]
    pub fn copy(&self, bucket: &str) -> Self {
        Self::new(self.0.s3.clone(), bucket.to_owned())
    }

    pub fn name(&self) -> &str {
        &self.0.bucket
    }

    /// Whether anything is at `key`.
    pub async fn has(&self, key: &Announced) -> Result<bool, StoreError> {
        Ok(self.0.facts(key).await?.is_some())
    }

    /// Up to a thousand objects, the newest version of each.
    pub async fn list(&self, from: Option<String>) -> Result<ObjectPage, StoreError> {
        let list = self.0.s3.list_objects_v2().bucket(&self.0.bucket).set_continuation_token(from);
        let page = list.send().await.map_err(StoreError::unavailable)?;
        let objects = page.contents().iter().map(|object| StoredObject {
            key: object.key().unwrap_or_default().to_owned(),
            modified_at: Timestamp::from_millis(
                object.last_modified().and_then(|it| it.to_millis().ok()).unwrap_or(0),
            ),
        });
        Ok(ObjectPage { objects: objects.collect(), next: page.next_continuation_token.clone() })
    }

    /// The digest of key, size and SHA-256 of what is at `key`, if anything is. A copy need not have
    /// kept the hash that the original came with: then the bytes are read.
    pub async fn digest(&self, key: &Announced) -> Result<Option<Digest>, StoreError> {
        self.digest_of(key, None).await
    }

    /// The same of one version of it.
    pub async fn digest_of(
        &self,
        key: &Announced,
        version: Option<&str>,
    ) -> Result<Option<Digest>, StoreError> {
        let Some(facts) = self.0.facts_of(key, version).await? else { return Ok(None) };
        let sha256 = match facts.sha256 {
            Some(sha256) => sha256,
            None => self.hash(key, version).await?,
        };
        Ok(Some(key.0.digest(facts.bytes, &sha256)))
    }

    /// The versions of what is or was at a key, the newest first: of what was deleted, too.
    pub async fn versions(&self, key: &Announced) -> Result<Vec<String>, StoreError> {
        let key = key.to_string();
        let list = self.0.s3.list_object_versions().bucket(&self.0.bucket).prefix(&key);
        let listed = list.send().await.map_err(StoreError::unavailable)?;
        let of_key = listed.versions().iter().filter(|it| it.key() == Some(&key));
        Ok(of_key.filter_map(|it| it.version_id().map(str::to_owned)).collect())
    }

    async fn hash(&self, key: &Announced, version: Option<&str>) -> Result<String, StoreError> {
        let get = self.0.s3.get_object().bucket(&self.0.bucket).key(key.to_string());
        let object = get.set_version_id(version.map(str::to_owned)).send().await;
        let mut body = object.map_err(StoreError::unavailable)?.body;
        let mut hash = Sha256::new();
        while let Some(chunk) = body.next().await {
            hash.update(chunk.map_err(StoreError::broken)?);
        }
        Ok(BASE64_STANDARD.encode(hash.finalize()))
    }

    /// All bytes at a key, if anything is there: of what is small.
    pub async fn bytes(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let object = match self.0.s3.get_object().bucket(&self.0.bucket).key(key).send().await {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => {
                return Ok(None);
            }
            Err(error) => return Err(StoreError::unavailable(error)),
        };
        let bytes = object.body.collect().await.map_err(StoreError::broken)?;
        Ok(Some(bytes.to_vec()))
    }

    /// Brings bytes back from a copy of the bucket, or an earlier version of this one, to where nothing is or
    /// others are. Their type comes with them; S3 makes the hash anew.
    pub async fn bring_back(
        &self,
        key: &Announced,
        from: &Self,
        version: Option<&str>,
    ) -> Result<(), StoreError> {
        let version = version.map(|version| format!("?versionId={version}")).unwrap_or_default();
        let copied = self
            .0
            .s3
            .copy_object()
            .bucket(&self.0.bucket)
            .key(key.to_string())
            .copy_source(format!("{}/{key}{version}", from.0.bucket))
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .customize()
            .config_override(Config::builder().timeout_config(copies_within()))
            .send()
            .await;
        copied.map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// Frees a key. What was there stays as a version, where the bucket has versions.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let deleted = self.0.s3.delete_object().bucket(&self.0.bucket).key(key).send().await;
        deleted.map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// How it is protected.
    pub async fn state(&self) -> Result<BucketState, StoreError> {
        let versioning = self.0.s3.get_bucket_versioning().bucket(&self.0.bucket).send().await;
        let versioning = versioning.map_err(StoreError::unavailable)?;
        let announces =
            self.0.s3.get_bucket_notification_configuration().bucket(&self.0.bucket).send().await;
        let announces = announces.map_err(StoreError::unavailable)?;
        let listed = self.0.s3.list_objects_v2().bucket(&self.0.bucket).send().await;
        let listed = listed.map_err(StoreError::unavailable)?;
        let in_one_zone = |class: &ObjectStorageClass| {
            matches!(class, ObjectStorageClass::OnezoneIa | ObjectStorageClass::ExpressOnezone)
        };
        Ok(BucketState {
            versioned: versioning.status() == Some(&BucketVersioningStatus::Enabled),
            announces: announces.event_bridge_configuration().is_some(),
            in_three_zones: listed
                .contents()
                .iter()
                .all(|object| !object.storage_class().is_some_and(in_one_zone)),
        })
    }
}
