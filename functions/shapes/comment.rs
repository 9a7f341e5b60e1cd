//! A comment, as clients see it.

use domain::{Comment, CommentId, RecordId, Revision, Timestamp, UserId, Version};
use serde::{Deserialize, Serialize};

/// What somebody has said about a record.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Comment"))]
pub struct CommentView {
    pub id: CommentId,
    pub record_id: RecordId,
    #[serde(flatten)]
    pub content: Comment,
    pub version: Version,
    pub created_at: Timestamp,
    /// Who has said it.
    pub created_by: UserId,
    pub changed_at: Timestamp,
}

impl CommentView {
    pub fn new(record_id: RecordId, id: CommentId, revision: &Revision<Comment>) -> Self {
        Self {
            id,
            record_id,
            content: revision.content.clone(),
            version: revision.version,
            created_at: revision.created_at,
            created_by: revision.created_by,
            changed_at: revision.changed_at,
        }
    }
}
