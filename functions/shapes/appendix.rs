use std::collections::BTreeMap;

use domain::appendix::Declared;
use domain::{
    Appendix, AppendixId, AppendixVersion, FileName, RecordId, Revision, Timestamp, UploadState,
    UserId, Version, VersionNumber,
};
use serde::{Deserialize, Serialize};
use store::{AppendixHistory, Upload};

/// An appendix with the versions that are shown of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct AppendixView {
    pub id: AppendixId,
    pub record_id: RecordId,
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
pub struct AppendixVersionView {
    pub number: VersionNumber,
    pub state: UploadState,
    #[serde(flatten)]
    pub declared: Declared,
    pub created_at: Timestamp,
    pub created_by: UserId,
    /// When the bytes were found in the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored_at: Option<Timestamp>,
}

impl AppendixVersionView {
    pub fn new(number: VersionNumber, version: &Revision<AppendixVersion>) -> Self {
        let stored = version.content.state == UploadState::Stored;
        Self {
            number,
            state: version.content.state,
            declared: version.content.declared.clone(),
            created_at: version.created_at,
            created_by: version.created_by,
            stored_at: stored.then_some(version.changed_at),
        }
    }
}

/// How to send the bytes: this request, with these headers, and exactly the declared body.
#[derive(Debug, Serialize)]
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
pub struct ReservedView {
    #[serde(flatten)]
    pub appendix: AppendixView,
    pub upload: UploadView,
}
