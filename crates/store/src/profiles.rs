//! Customers and people, in the form that they are stored in.

use domain::{
    CompanyName, Language, LoginId, PersonName, Role, Scope, ShortName, SignInName, TimeZone,
    Timestamp, UserId, stored,
};
use serde::{Deserialize, Serialize};

use crate::usage::Usage;

/// What is known of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerProfile {
    #[serde(deserialize_with = "stored")]
    pub name: CompanyName,
    /// What stands behind the `@` of its people's own names. It stays, once there is one.
    #[serde(default, deserialize_with = "stored", skip_serializing_if = "Option::is_none")]
    pub short_name: Option<ShortName>,
    /// In which its people see times, where they say nothing else.
    #[serde(default, deserialize_with = "stored", skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<TimeZone>,
    /// In which it writes to people, where they say nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Why nobody works there for now, as whoever runs the service says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<String>,
    /// What it may keep, where that is something else than what everybody may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Usage>,
}

/// What is known of a person as one of a customer's, and proven: nothing that is personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserProfile {
    pub role: Role,
    /// Whose account this is. Absent where that began before people had ids of their own: see
    /// [`UserProfile::login_of`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<LoginId>,
    /// A program in the place of a person: there is no login then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
    /// What an earlier release kept here. It is in the person's card now.
    #[serde(default, deserialize_with = "stored", skip_serializing_if = "Option::is_none")]
    pub email: Option<SignInName>,
    #[serde(default, deserialize_with = "stored", skip_serializing_if = "Option::is_none")]
    pub name: Option<PersonName>,
}

impl CustomerProfile {
    pub const fn new(name: CompanyName, short_name: Option<ShortName>) -> Self {
        let (time_zone, language) = (None, None);
        Self { name, short_name, time_zone, language, suspended: None, quota: None }
    }
}

impl UserProfile {
    pub const fn new(role: Role, login: LoginId) -> Self {
        Self { role, login: Some(login), machine: None, email: None, name: None }
    }

    /// A program that shows a token.
    pub const fn of_machine(role: Role, machine: Machine) -> Self {
        Self { role, login: None, machine: Some(machine), email: None, name: None }
    }

    /// Whose account this is: a person who has begun with it has its very id.
    pub fn login_of(&self, user: UserId) -> LoginId {
        self.login.unwrap_or(begun_with(user))
    }

    /// The card that an earlier release kept here.
    pub fn earlier_card(&self) -> Option<PersonCard> {
        let (name, sign_in) = (self.name.clone()?, self.email.clone()?);
        Some(PersonCard { name, sign_in })
    }
}

/// What is known of a program that shows a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// What it is called: nothing personal.
    #[serde(deserialize_with = "stored")]
    pub name: PersonName,
    /// Of its token.
    pub token_hash: String,
    pub scopes: Vec<Scope>,
    pub expires_at: Timestamp,
}

/// The id of a person whose first account this is.
pub const fn begun_with(user: UserId) -> LoginId {
    LoginId::from_bytes(user.to_bytes())
}

/// What is personal of somebody at a customer's. It is in no revision and in no proof, so that a person can be
/// forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonCard {
    pub name: PersonName,
    pub sign_in: SignInName,
}

/// What lets somebody into a company, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub role: Role,
    /// Of the token in the link.
    pub token_hash: String,
    pub expires_at: Timestamp,
    pub state: InvitationState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// It may be accepted until it expires.
    Open,
    Accepted,
    Withdrawn,
}
