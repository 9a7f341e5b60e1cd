use domain::{Definition, RecordType, Revision, Timestamp, UserId, Version};
use serde::{Deserialize, Serialize};

/// A type of records as it is at one version.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Type"))]
pub struct TypeView {
    #[serde(rename = "type")]
    pub record_type: RecordType,
    pub form: Definition,
    pub version: Version,
    pub created_at: Timestamp,
    pub created_by: UserId,
    pub changed_at: Timestamp,
    pub changed_by: UserId,
}

impl TypeView {
    pub fn new(record_type: RecordType, revision: &Revision<Definition>) -> Self {
        Self {
            record_type,
            form: revision.content.clone(),
            version: revision.version,
            created_at: revision.created_at,
            created_by: revision.created_by,
            changed_at: revision.changed_at,
            changed_by: revision.changed_by,
        }
    }
}
