use domain::{Email, InvitationId, Revision, Role, Timestamp, UserId, Version, stored};
use serde::{Deserialize, Serialize};
use store::tenant::{ListedInvitation, Person};
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
    /// The address that it was sent to, as long as it may be accepted.
    #[serde(default, deserialize_with = "stored")]
    pub email: Option<Email>,
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

impl From<ListedInvitation> for InvitationView {
    fn from(ListedInvitation { id, invitation, sent_to }: ListedInvitation) -> Self {
        Self::new(id, &invitation, sent_to)
    }
}

impl InvitationView {
    pub fn new(id: InvitationId, revision: &Revision<Invitation>, email: Option<Email>) -> Self {
        let Invitation { role, expires_at, state, .. } = revision.content;
        Self {
            id,
            role,
            email,
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
