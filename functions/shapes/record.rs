use domain::{Record, RecordId, Revision, Timestamp, UserId, Version};
use serde::{Deserialize, Serialize};

/// A record as it is at one version. The version is its entity tag too.
#[derive(Debug, Serialize, Deserialize)]
pub struct RecordView {
    pub id: RecordId,
    #[serde(flatten)]
    pub content: RecordContent,
    pub version: Version,
    pub created_at: Timestamp,
    pub created_by: UserId,
    pub changed_at: Timestamp,
    pub changed_by: UserId,
}

/// [`Record`] without its strictness: what was taken once is shown for ever.
#[derive(Debug, Serialize, Deserialize)]
pub struct RecordContent {
    #[serde(rename = "type")]
    pub record_type: domain::RecordType,
    pub title: domain::RecordTitle,
    pub fields: domain::Fields,
}

impl From<&Record> for RecordContent {
    fn from(record: &Record) -> Self {
        let Record { record_type, title, fields } = record.clone();
        Self { record_type, title, fields }
    }
}

impl RecordView {
    pub fn new(id: RecordId, revision: &Revision<Record>) -> Self {
        Self {
            id,
            content: (&revision.content).into(),
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
pub struct RevisionView {
    pub version: Version,
    pub changed_at: Timestamp,
    pub changed_by: UserId,
    pub deleted: bool,
    #[serde(flatten)]
    pub content: RecordContent,
}

impl From<&Revision<Record>> for RevisionView {
    fn from(revision: &Revision<Record>) -> Self {
        Self {
            version: revision.version,
            changed_at: revision.changed_at,
            changed_by: revision.changed_by,
            deleted: revision.deleted,
            content: (&revision.content).into(),
        }
    }
}
