use domain::{InvitationId, Revision, Role, Timestamp, UserId, Version};
use serde::{Deserialize, Serialize};
use store::tenant::Person;
use store::{Invitation, InvitationState};

use super::UserView;

/// Somebody of a company's, or somebody who was. The version is the entity tag too.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Person"))]
pub struct PersonView {
    #[serde(flatten)]
    pub user: UserView,
    pub version: Version,
    /// Whether the person has gone.
    pub removed: bool,
    pub joined_at: Timestamp,
    pub changed_at: Timestamp,
    pub changed_by: UserId,
}

impl From<Person> for PersonView {
    fn from(Person { user, profile, card }: Person) -> Self {
        Self {
            user: UserView::new(user, &profile.content, card),
            version: profile.version,
            removed: profile.deleted,
            joined_at: profile.created_at,
            changed_at: profile.changed_at,
            changed_by: profile.changed_by,
        }
    }
}

/// An invitation, without what opens it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Invitation"))]
pub struct InvitationView {
    pub id: InvitationId,
    pub role: Role,
    pub state: InvitationStateView,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub created_by: UserId,
    /// Who has come in by it, or has withdrawn it.
    pub changed_by: UserId,
}

/// How an invitation stands. Whether it is too old is said by its time.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "InvitationState"))]
#[serde(rename_all = "snake_case")]
pub enum InvitationStateView {
    Open,
    Accepted,
    Withdrawn,
}

impl InvitationView {
    pub fn new(id: InvitationId, revision: &Revision<Invitation>) -> Self {
        let Invitation { role, expires_at, state, .. } = revision.content;
        Self {
            id,
            role,
            state: match state {
                InvitationState::Open => InvitationStateView::Open,
                InvitationState::Accepted => InvitationStateView::Accepted,
                InvitationState::Withdrawn => InvitationStateView::Withdrawn,
            },
            expires_at,
            created_at: revision.created_at,
            created_by: revision.created_by,
            changed_by: revision.changed_by,
        }
    }
}
