//! Who may do what with which object, by the template's policies.

use std::sync::Arc;

use hyper::header::{AUTHORIZATION, IF_NONE_MATCH};
use s3s::access::{S3Access, S3AccessContext};
use s3s::path::S3Path;
use s3s::{S3Result, s3_error};

use super::disk::Disk;
use super::failed;
use crate::conditions::Facts;
use crate::identity::{Identities, is_fresh};

/// Lets a function do what its policy says.
pub(super) struct Access {
    pub(super) identities: Arc<Identities>,
    pub(super) disk: Arc<Disk>,
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let action = match context.s3_op().name() {
            "PutObject" => "s3:PutObject",
            "GetObject" | "HeadObject" if context.uri().query().is_some_and(names_version) => {
                "s3:GetObjectVersion"
            }
            "GetObject" | "HeadObject" => "s3:GetObject",
            "ListObjectVersions" => "s3:ListBucketVersions",
            "CopyObject" => "s3:PutObject",
            "DeleteObject" => "s3:DeleteObject",
            "ListObjectsV2" => "s3:ListBucket",
            "GetBucketVersioning" => "s3:GetBucketVersioning",
            "GetBucketNotificationConfiguration" => "s3:GetBucketNotification",
            _ => return Err(s3_error!(NotImplemented)),
        };
        let caller = context.credentials().map(|credentials| credentials.access_key.as_str());
        let Some(caller) = caller else { return Err(s3_error!(AccessDenied)) };
        // A link that a function signed is used by somebody else, and says itself how long it is good.
        if context.headers().contains_key(AUTHORIZATION) {
            let date = context.headers().get("x-amz-date").and_then(|date| date.to_str().ok());
            if !date.is_some_and(is_fresh) {
                return Err(s3_error!(RequestTimeTooSkewed));
            }
            self.identities.count(caller, action);
        }
        let (bucket, key) = match context.s3_path() {
            S3Path::Object { bucket, key } => (bucket, Some(key)),
            S3Path::Bucket { bucket } => (bucket, None),
            S3Path::Root => return Err(s3_error!(AccessDenied)),
        };
        let bucket_arn = format!("arn:aws:s3:::{bucket}");
        let resource = key.map_or_else(|| bucket_arn.clone(), |key| format!("{bucket_arn}/{key}"));
        let mut facts = Facts::new();
        if let Some(tags) = context.headers().get(IF_NONE_MATCH) {
            let tags = String::from_utf8_lossy(tags.as_bytes()).into_owned();
            facts.insert("s3:if-none-match", vec![tags]);
        }
        let allow = |action: &str, resource: &str| {
            let allowed = self.identities.allow(caller, action, resource, &facts);
            if !allowed {
                tracing::error!(function = caller, action, resource, "not allowed by the template");
            }
            allowed
        };
        if !allow(action, &resource) {
            return Err(s3_error!(AccessDenied));
        }
        // Only who may list a bucket learns that an object is not there.
        let missing = match key {
            Some(key) if action == "s3:GetObject" => {
                self.disk.find(bucket, key, None).map_err(failed)?.is_none()
            }
            _ => false,
        };
        if missing && !allow("s3:ListBucket", &bucket_arn) {
            return Err(s3_error!(AccessDenied));
        }
        Ok(())
    }
}

/// Whether a query names a version of an object.
fn names_version(query: &str) -> bool {
    query.split('&').any(|part| part.starts_with("versionId="))
}
