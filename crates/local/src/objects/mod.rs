//! S3, embedded: the protocol by the crate s3s (signatures, presigned requests, chunked bodies) over
//! a versioned store on disk. Only what AM Service uses is answered; the rest is NotImplemented.

mod access;
mod conditional;
mod disk;
mod incoming;
mod outbox;

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use hyper::header::IF_RANGE;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use s3s::auth::SimpleAuth;
use s3s::dto::{
    BucketVersioningStatus, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource,
    DeleteObjectInput, DeleteObjectOutput, ETag, ETagCondition, EventBridgeConfiguration,
    GetBucketNotificationConfigurationInput, GetBucketNotificationConfigurationOutput,
    GetBucketVersioningInput, GetBucketVersioningOutput, GetObjectInput, GetObjectOutput,
    HeadObjectInput, HeadObjectOutput, ListObjectVersionsInput, ListObjectVersionsOutput,
    ListObjectsV2Input, ListObjectsV2Output, Object, ObjectVersion, PutObjectInput,
    PutObjectOutput, StreamingBlob, Timestamp,
};
use s3s::service::S3ServiceBuilder;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::net::TcpListener;
use tokio_util::io::ReaderStream;

use access::Access;
use conditional::{Conditions, beyond, ignore_strange_range};
use disk::Facts;
pub(crate) use disk::{Disk, DiskError, NewObject};
pub(crate) use incoming::Sums;
pub(crate) use outbox::{Due, Source};

use crate::conditions;
use crate::identity::Identities;
use crate::listen;

const CHUNK_WITHIN: std::time::Duration = std::time::Duration::from_secs(30);

/// The S3 of the local cloud.
#[derive(Clone)]
pub(crate) struct Objects {
    disk: Arc<Disk>,
    identities: Arc<Identities>,
}

impl Objects {
    pub(crate) fn new(disk: Arc<Disk>, identities: Arc<Identities>) -> Self {
        Self { disk, identities }
    }

    /// Serves the protocol to whoever signs, as far as the template lets them.
    pub(crate) async fn serve(self, listener: TcpListener) {
        let identities = self.identities.clone();
        let mut auth = SimpleAuth::new();
        for (access_key, secret_key) in identities.access_keys() {
            auth.register(access_key, secret_key.into());
        }
        let disk = self.disk.clone();
        let mut builder = S3ServiceBuilder::new(self);
        builder.set_auth(auth);
        builder.set_access(Access { identities, disk });
        let service = builder.build();
        listen::serve(listener, move |_: SocketAddr| {
            let service = service.clone();
            service_fn(move |mut request| {
                ignore_strange_range(&mut request);
                let answer = hyper::service::Service::call(&service, request);
                async move {
                    let answer = answer.await.unwrap_or_else(|error| {
                        tracing::error!(?error, "the object store failed");
                        let mut response = Response::new(s3s::Body::empty());
                        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                        response
                    });
                    Ok(answer.map(|body| body.map_err(std::io::Error::other)))
                }
            })
        })
        .await;
    }

    fn check_bucket(&self, bucket: &str) -> S3Result<()> {
        if self.disk.has_bucket(bucket).map_err(failed)? {
            return Ok(());
        }
        Err(s3_error!(NoSuchBucket))
    }

    fn find(&self, bucket: &str, key: &str, version: Option<&str>) -> S3Result<Facts> {
        self.check_bucket(bucket)?;
        match self.disk.find(bucket, key, version).map_err(failed)? {
            Some(facts) => Ok(facts),
            None if version.is_some() => Err(s3_error!(NoSuchVersion)),
            None => Err(s3_error!(NoSuchKey)),
        }
    }

    /// Takes the bytes into a file of their own, unseen until they are whole and as declared.
    async fn receive(&self, input: &mut PutObjectInput) -> S3Result<NewObject> {
        let declared_bytes = input.content_length.and_then(|n| u64::try_from(n).ok());
        let mut body = input.body.take();
        let mut incoming = self.disk.incoming().await.map_err(failed)?;
        while let Some(body) = &mut body {
            // Who sends nothing for so long has gone.
            let next = tokio::time::timeout(CHUNK_WITHIN, body.next()).await;
            let next = next.map_err(|_| s3_error!(RequestTimeout))?;
            let Some(chunk) = next else { break };
            let chunk = chunk.map_err(|_| s3_error!(IncompleteBody))?;
            incoming.write(&chunk).await.map_err(failed)?;
        }
        let Sums { bytes, sha256, md5 } = incoming.sums();
        if declared_bytes.is_some_and(|declared| declared != bytes) {
            return Err(s3_error!(IncompleteBody));
        }
        if input.checksum_sha256.as_ref().is_some_and(|declared| *declared != sha256) {
            return Err(s3_error!(BadDigest, "The SHA256 you specified did not match the body."));
        }
        incoming.sync().await.map_err(failed)?;
        Ok(NewObject {
            incoming,
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            bytes,
            content_type: match &input.content_type {
                Some(content_type) => content_type.to_string(),
                None => "application/octet-stream".to_owned(),
            },
            // S3 keeps the checksum that it was given.
            sha256: input.checksum_sha256.is_some().then_some(sha256),
            etag: md5,
            only_if_absent: matches!(input.if_none_match, Some(ETagCondition::Any)),
            announced: true,
        })
    }
}

#[async_trait::async_trait]
impl S3 for Objects {
    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let mut input = request.input;
        self.check_bucket(&input.bucket)?;
        let object = self.receive(&mut input).await?;
        let stored = self.disk.store(object).map_err(failed)?;
        let Some(facts) = stored else {
            return Err(s3_error!(
                PreconditionFailed,
                "At least one of the pre-conditions you specified did not hold"
            ));
        };
        Ok(S3Response::new(PutObjectOutput {
            e_tag: Some(ETag::Strong(facts.etag)),
            checksum_sha256: facts.sha256,
            size: None,
            version_id: Some(facts.version_id),
            ..PutObjectOutput::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let mut facts = self.find(&input.bucket, &input.key, input.version_id.as_deref())?;
        let etag = ETag::Strong(facts.etag.clone());
        Conditions::from(&input).check(&etag, facts.stored_at_ms)?;
        let checksum = input.checksum_mode.is_some();
        if checksum && facts.sha256.is_some() {
            // S3 keeps bytes as they are. A disk does not: what is said of them is looked up in them.
            let Some((bytes, sha256)) = self.disk.look_at(&facts).await.map_err(failed)? else {
                return Err(s3_error!(NoSuchKey));
            };
            (facts.bytes, facts.sha256) = (bytes, Some(sha256));
        }
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from(facts.bytes).ok(),
            content_type: Some(facts.content_type.clone()),
            checksum_sha256: facts.sha256.clone().filter(|_| checksum),
            e_tag: Some(etag),
            last_modified: Some(stored_at(&facts)),
            version_id: Some(facts.version_id),
            ..HeadObjectOutput::default()
        }))
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let facts = self.find(&input.bucket, &input.key, input.version_id.as_deref())?;
        let etag = ETag::Strong(facts.etag.clone());
        Conditions::from(&input).check(&etag, facts.stored_at_ms)?;
        // A part of what the client has not seen is no use to it.
        let seen = request.headers.get(IF_RANGE);
        let is_seen = seen.is_none_or(|seen| *seen == *format!("\"{}\"", facts.etag));
        let wanted = input.range.filter(|_| is_seen);
        let range = match &wanted {
            Some(range) => range.check(facts.bytes).map_err(|_| beyond(facts.bytes))?,
            None => 0..facts.bytes,
        };
        let mut file = self.disk.open(&facts).await.map_err(failed)?;
        file.seek(std::io::SeekFrom::Start(range.start)).await.map_err(failed)?;
        let length = range.end - range.start;
        let body = StreamingBlob::wrap(ReaderStream::new(file.take(length)));
        let content_range =
            wanted.map(|_| format!("bytes {}-{}/{}", range.start, range.end - 1, facts.bytes));
        let checksum = input.checksum_mode.is_some() && content_range.is_none();
        let partial = content_range.is_some();
        let mut response = S3Response::new(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            body: Some(body),
            content_length: i64::try_from(length).ok(),
            content_range,
            content_disposition: input.response_content_disposition,
            content_type: Some(match input.response_content_type {
                Some(wanted) => wanted,
                None => facts.content_type.clone(),
            }),
            checksum_sha256: facts.sha256.clone().filter(|_| checksum),
            e_tag: Some(etag),
            last_modified: Some(stored_at(&facts)),
            version_id: Some(facts.version_id),
            ..GetObjectOutput::default()
        });
        if partial {
            response.status = Some(StatusCode::PARTIAL_CONTENT);
        }
        Ok(response)
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        self.check_bucket(&input.bucket)?;
        if input.delimiter.is_some() {
            return Err(s3_error!(NotImplemented));
        }
        let prefix = input.prefix.unwrap_or_default();
        let limit = input.max_keys.and_then(|max| usize::try_from(max).ok());
        let limit = limit.unwrap_or(LISTED_MAX).min(LISTED_MAX);
        // The token is the last key of the page before.
        let after = input.continuation_token.or(input.start_after).unwrap_or_default();
        let found = self.disk.list(&input.bucket, &prefix, &after, limit + 1).map_err(failed)?;
        let more = found.len() > limit;
        let listed = found.into_iter().take(limit);
        let contents: Vec<Object> = listed
            .map(|(key, facts)| Object {
                key: Some(key),
                size: i64::try_from(facts.bytes).ok(),
                last_modified: Some(stored_at(&facts)),
                e_tag: Some(ETag::Strong(facts.etag)),
                ..Object::default()
            })
            .collect();
        let next = contents.last().and_then(|last| last.key.clone()).filter(|_| more);
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            key_count: i32::try_from(contents.len()).ok(),
            is_truncated: Some(more),
            next_continuation_token: next,
            contents: Some(contents),
            ..ListObjectsV2Output::default()
        }))
    }

    /// All versions of the keys that start so, the newest of each first. Markers are not listed.
    async fn list_object_versions(
        &self,
        request: S3Request<ListObjectVersionsInput>,
    ) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        let input = request.input;
        self.check_bucket(&input.bucket)?;
        let prefix = input.prefix.unwrap_or_default();
        let found = self.disk.versions(&input.bucket, &prefix, LISTED_MAX).map_err(failed)?;
        let versions = found.into_iter().map(|(key, facts)| ObjectVersion {
            key: Some(key),
            size: i64::try_from(facts.bytes).ok(),
            last_modified: Some(stored_at(&facts)),
            version_id: Some(facts.version_id),
            ..ObjectVersion::default()
        });
        Ok(S3Response::new(ListObjectVersionsOutput {
            name: Some(input.bucket),
            is_truncated: Some(false),
            versions: Some(versions.collect()),
            ..ListObjectVersionsOutput::default()
        }))
    }

    /// Copies bytes from one key to another, of any buckets that the caller may read and write.
    async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let input = request.input;
        let CopySource::Bucket { bucket, key, version_id } = &input.copy_source else {
            return Err(s3_error!(NotImplemented));
        };
        let caller = request.credentials.ok_or_else(|| s3_error!(AccessDenied))?;
        let arn = format!("arn:aws:s3:::{bucket}/{key}");
        let action = if version_id.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
        self.identities.count(&caller.access_key, action);
        if !self.identities.allow(&caller.access_key, action, &arn, &conditions::Facts::new()) {
            return Err(s3_error!(AccessDenied));
        }
        let facts = self.find(bucket, key, version_id.as_deref())?;
        self.check_bucket(&input.bucket)?;
        let file = self.disk.open(&facts).await.map_err(failed)?;
        let mut put = PutObjectInput {
            bucket: input.bucket,
            key: input.key,
            body: Some(StreamingBlob::wrap(ReaderStream::new(file))),
            content_type: facts.content_type.parse().ok(),
            ..PutObjectInput::default()
        };
        let mut object = self.receive(&mut put).await?;
        // Asked for, S3 makes the hash anew.
        object.sha256 = input.checksum_algorithm.map(|_| object.incoming.sums().sha256);
        let stored = self.disk.store(object).map_err(failed)?;
        let stored = stored.ok_or_else(|| s3_error!(PreconditionFailed))?;
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: Some(ETag::Strong(stored.etag)),
                ..CopyObjectResult::default()
            }),
            version_id: Some(stored.version_id),
            ..CopyObjectOutput::default()
        }))
    }

    /// Adds a marker where there are versions, which cannot be deleted here; else removes the object.
    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        self.check_bucket(&input.bucket)?;
        if input.version_id.is_some() {
            return Err(s3_error!(AccessDenied, "Every version is kept."));
        }
        let marked = self.disk.delete(&input.bucket, &input.key).map_err(failed)?;
        let deleted = DeleteObjectOutput { delete_marker: Some(marked), ..Default::default() };
        Ok(S3Response::new(deleted))
    }

    async fn get_bucket_versioning(
        &self,
        request: S3Request<GetBucketVersioningInput>,
    ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        self.check_bucket(&request.input.bucket)?;
        let status = BucketVersioningStatus::from_static(BucketVersioningStatus::ENABLED);
        let status = GetBucketVersioningOutput { status: Some(status), ..Default::default() };
        Ok(S3Response::new(status))
    }

    async fn get_bucket_notification_configuration(
        &self,
        request: S3Request<GetBucketNotificationConfigurationInput>,
    ) -> S3Result<S3Response<GetBucketNotificationConfigurationOutput>> {
        self.check_bucket(&request.input.bucket)?;
        Ok(S3Response::new(GetBucketNotificationConfigurationOutput {
            event_bridge_configuration: Some(EventBridgeConfiguration::default()),
            ..Default::default()
        }))
    }
}

/// A page of a listing: S3's own limit.
const LISTED_MAX: usize = 1000;

fn stored_at(facts: &Facts) -> Timestamp {
    let since_1970 = std::time::Duration::from_millis(facts.stored_at_ms.unsigned_abs());
    (std::time::UNIX_EPOCH + since_1970).into()
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> s3s::S3Error {
    tracing::error!(%error, "the object store failed");
    s3_error!(InternalError)
}
