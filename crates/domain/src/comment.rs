//! What somebody says about a record.

use serde::{Deserialize, Serialize};

use crate::{CommentText, RuleError, UserId, stored};

/// So many people are mentioned at most.
pub const MENTIONS_MAX: usize = 20;

/// A comment on a record. Who wrote it is in its first revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Comment {
    #[serde(deserialize_with = "stored")]
    pub text: CommentText,
    /// Whom it is for in particular.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserId>,
}

impl Comment {
    /// With each of those mentioned once.
    ///
    /// # Errors
    /// They are too many.
    pub fn new(text: CommentText, mut mentions: Vec<UserId>) -> Result<Self, RuleError> {
        mentions.sort_unstable();
        mentions.dedup();
        if mentions.len() > MENTIONS_MAX {
            return Err(RuleError::new(format!("must have at most {MENTIONS_MAX} people")));
        }
        Ok(Self { text, mentions })
    }
}
