//! S3, embedded: the protocol by the crate s3s (signatures, presigned requests, chunked bodies) over
//! a versioned store on disk. Only what AM Service uses is answered; the rest is NotImplemented.

mod disk;

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use hyper::header::AUTHORIZATION;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use md5::Md5;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::dto::{
    ETag, ETagCondition, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    PutObjectInput, PutObjectOutput, StreamingBlob, Timestamp,
};
use s3s::path::S3Path;
use s3s::service::S3ServiceBuilder;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::io::ReaderStream;

pub(crate) use disk::{Disk, Due};
use disk::{Facts, NewObject};

use crate::hex::hex;
use crate::identity::Identities;
use crate::listen;

/// The S3 of the local cloud.
#[derive(Clone)]
pub(crate) struct Objects {
    disk: Arc<Disk>,
    buckets: Arc<Vec<String>>,
}

impl Objects {
    pub(crate) fn new(disk: Arc<Disk>, buckets: Vec<String>) -> Self {
        Self { disk, buckets: Arc::new(buckets) }
    }

    /// Serves the protocol to whoever signs, as far as the template lets them.
    pub(crate) async fn serve(self, listener: TcpListener, identities: Arc<Identities>) {
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
            service_fn(move |request| {
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
        if self.buckets.iter().any(|known| known == bucket) {
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
        let (mut sha256, mut md5, mut bytes) = (Sha256::new(), Md5::new(), 0_u64);
        while let Some(body) = &mut body {
            let Some(chunk) = body.next().await else { break };
            let chunk = chunk.map_err(|_| s3_error!(IncompleteBody))?;
            sha256.update(&chunk);
            md5.update(&chunk);
            bytes += chunk.len() as u64;
            incoming.file.write_all(&chunk).await.map_err(failed)?;
        }
        if declared_bytes.is_some_and(|declared| declared != bytes) {
            return Err(s3_error!(IncompleteBody));
        }
        let sha256 = BASE64_STANDARD.encode(sha256.finalize());
        if input.checksum_sha256.as_ref().is_some_and(|declared| *declared != sha256) {
            return Err(s3_error!(BadDigest, "The SHA256 you specified did not match the body."));
        }
        incoming.file.sync_all().await.map_err(failed)?;
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
            etag: hex(&md5.finalize()),
            only_if_absent: matches!(input.if_none_match, Some(ETagCondition::Any)),
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
        let facts = self.find(&input.bucket, &input.key, input.version_id.as_deref())?;
        let checksum = input.checksum_mode.is_some();
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from(facts.bytes).ok(),
            content_type: Some(facts.content_type.clone()),
            checksum_sha256: facts.sha256.clone().filter(|_| checksum),
            e_tag: Some(ETag::Strong(facts.etag.clone())),
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
        let range = match &input.range {
            Some(range) => range.check(facts.bytes)?,
            None => 0..facts.bytes,
        };
        let mut file = self.disk.open(&facts).await.map_err(failed)?;
        file.seek(std::io::SeekFrom::Start(range.start)).await.map_err(failed)?;
        let length = range.end - range.start;
        let body = StreamingBlob::wrap(ReaderStream::new(file.take(length)));
        let content_range =
            input.range.map(|_| format!("bytes {}-{}/{}", range.start, range.end - 1, facts.bytes));
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
            e_tag: Some(ETag::Strong(facts.etag.clone())),
            last_modified: Some(stored_at(&facts)),
            version_id: Some(facts.version_id),
            ..GetObjectOutput::default()
        });
        if partial {
            response.status = Some(StatusCode::PARTIAL_CONTENT);
        }
        Ok(response)
    }
}

/// Lets a function do what its policy says.
struct Access {
    identities: Arc<Identities>,
    disk: Arc<Disk>,
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let action = match context.s3_op().name() {
            "PutObject" => "s3:PutObject",
            "GetObject" | "HeadObject" => "s3:GetObject",
            _ => return Err(s3_error!(NotImplemented)),
        };
        let caller = context.credentials().map(|credentials| credentials.access_key.as_str());
        let (Some(caller), S3Path::Object { bucket, key }) = (caller, context.s3_path()) else {
            return Err(s3_error!(AccessDenied));
        };
        // A link that a function signed is used by somebody else.
        if context.headers().contains_key(AUTHORIZATION) {
            self.identities.count(caller, action);
        }
        let bucket_arn = format!("arn:aws:s3:::{bucket}");
        let allow = |action: &str, resource: &str| {
            let allowed = self.identities.allow(caller, action, resource);
            if !allowed {
                tracing::error!(function = caller, action, resource, "not allowed by the template");
            }
            allowed
        };
        if !allow(action, &format!("{bucket_arn}/{key}")) {
            return Err(s3_error!(AccessDenied));
        }
        // Only who may list a bucket learns that an object is not there.
        let missing = action == "s3:GetObject"
            && self.disk.find(bucket, key, None).map_err(failed)?.is_none();
        if missing && !allow("s3:ListBucket", &bucket_arn) {
            return Err(s3_error!(AccessDenied));
        }
        Ok(())
    }
}

fn stored_at(facts: &Facts) -> Timestamp {
    let since_1970 = std::time::Duration::from_millis(facts.stored_at_ms.unsigned_abs());
    (std::time::UNIX_EPOCH + since_1970).into()
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> s3s::S3Error {
    tracing::error!(%error, "the object store failed");
    s3_error!(InternalError)
}
