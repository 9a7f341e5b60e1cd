use std::collections::BTreeMap;

use domain::appendix::Declared;
use domain::{
    Appendix, AppendixBytes, AppendixId, AppendixVersion, ContentType, FileName, RecordId,
    Revision, Sha256, Timestamp, UploadState, UserId, Version, VersionNumber, stored,
};
use serde::{Deserialize, Serialize};
use store::tenant::{AppendixHistory, Upload};

/// An appendix with the versions that are shown of it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Appendix"))]
pub struct AppendixView {
    pub id: AppendixId,
    pub record_id: RecordId,
    #[serde(deserialize_with = "stored")]
    pub name: FileName,
    /// Counts the changes of the appendix itself; its entity tag.
    pub revision: Version,
    pub created_at: Timestamp,
    pub created_by: UserId,
    pub versions: Vec<AppendixVersionView>,
}

impl AppendixView {
    pub fn new(
        id: AppendixId,
        appendix: &Revision<Appendix>,
        versions: Vec<AppendixVersionView>,
    ) -> Self {
        Self {
            id,
            record_id: appendix.content.record_id,
            name: appendix.content.name.clone(),
            revision: appendix.version,
            created_at: appendix.created_at,
            created_by: appendix.created_by,
            versions,
        }
    }
}

impl From<&AppendixHistory> for AppendixView {
    fn from(history: &AppendixHistory) -> Self {
        let versions = history.versions.iter();
        let versions = versions.map(|(n, version)| AppendixVersionView::new(*n, version));
        Self::new(history.id, &history.appendix, versions.collect())
    }
}

/// One version of an appendix: what was declared, and whether the bytes are there.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "AppendixVersion"))]
pub struct AppendixVersionView {
    #[serde(deserialize_with = "stored")]
    pub number: VersionNumber,
    pub state: UploadState,
    #[serde(deserialize_with = "stored")]
    pub content_type: ContentType,
    #[serde(deserialize_with = "stored")]
    pub bytes: AppendixBytes,
    pub sha256: Sha256,
    pub created_at: Timestamp,
    pub created_by: UserId,
    /// When the bytes were found in the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored_at: Option<Timestamp>,
}

impl AppendixVersionView {
    pub fn new(number: VersionNumber, version: &Revision<AppendixVersion>) -> Self {
        let AppendixVersion { content_type, bytes, sha256, state } = version.content.clone();
        let stored = state == UploadState::Stored;
        Self {
            number,
            state,
            content_type,
            bytes,
            sha256,
            created_at: version.created_at,
            created_by: version.created_by,
            stored_at: stored.then_some(version.changed_at),
        }
    }

    /// What its bytes were declared to be.
    pub fn declared(&self) -> Declared {
        let Self { content_type, bytes, sha256, .. } = self;
        Declared { content_type: content_type.clone(), bytes: *bytes, sha256: *sha256 }
    }
}

/// How to send the bytes: this request, with these headers, and exactly the declared body.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Upload"))]
pub struct UploadView {
    pub method: &'static str,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub expires_at: Timestamp,
}

impl From<Upload> for UploadView {
    fn from(upload: Upload) -> Self {
        Self {
            method: "PUT",
            url: upload.url,
            headers: upload.headers.into_iter().collect(),
            expires_at: upload.expires_at,
        }
    }
}

/// A reserved version and how to upload it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "ReservedAppendix"))]
pub struct ReservedView {
    #[serde(flatten)]
    pub appendix: AppendixView,
    pub upload: UploadView,
}
