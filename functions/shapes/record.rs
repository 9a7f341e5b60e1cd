use domain::{Record, RecordId, Revision, Timestamp, UserId, Version};
use serde::{Deserialize, Serialize};

/// A record as it is at one version. The version is its entity tag too.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Record"))]
pub struct RecordView {
    pub id: RecordId,
    #[serde(flatten)]
    pub content: Record,
    pub version: Version,
    pub created_at: Timestamp,
    pub created_by: UserId,
    pub changed_at: Timestamp,
    pub changed_by: UserId,
}

impl RecordView {
    pub fn new(id: RecordId, revision: &Revision<Record>) -> Self {
        Self {
            id,
            content: revision.content.clone(),
            version: revision.version,
            created_at: revision.created_at,
            created_by: revision.created_by,
            changed_at: revision.changed_at,
            changed_by: revision.changed_by,
        }
    }
}

/// One line of a record's history.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Revision"))]
pub struct RevisionView {
    pub version: Version,
    pub changed_at: Timestamp,
    pub changed_by: UserId,
    pub deleted: bool,
    #[serde(flatten)]
    pub content: Record,
}

impl From<&Revision<Record>> for RevisionView {
    fn from(revision: &Revision<Record>) -> Self {
        Self {
            version: revision.version,
            changed_at: revision.changed_at,
            changed_by: revision.changed_by,
            deleted: revision.deleted,
            content: revision.content.clone(),
        }
    }
}
