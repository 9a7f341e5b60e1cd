use domain::{PersonName, Role, Scope, Timestamp, UserId, stored};
use serde::{Deserialize, Serialize};
use store::Machine;
use store::tenant::ListedMachine;

/// A program that may show a token, without the token.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Token"))]
pub struct TokenView {
    /// As a user's: what the program changes was changed by this id.
    pub id: UserId,
    #[serde(deserialize_with = "stored")]
    pub name: PersonName,
    pub role: Role,
    pub scopes: Vec<Scope>,
    pub created_at: Timestamp,
    pub created_by: UserId,
    pub expires_at: Timestamp,
    /// Whether it lets nothing in any more: it was revoked, or ended with a restore of the service.
    pub revoked: bool,
    /// To the hour; null: never.
    pub used_at: Option<Timestamp>,
}

impl From<ListedMachine> for TokenView {
    fn from(ListedMachine { user, profile, machine, is_good, used_at }: ListedMachine) -> Self {
        let Machine { name, scopes, expires_at, .. } = machine;
        Self {
            id: user,
            name,
            role: profile.content.role,
            scopes,
            created_at: profile.created_at,
            created_by: profile.created_by,
            expires_at,
            revoked: !is_good,
            used_at,
        }
    }
}
