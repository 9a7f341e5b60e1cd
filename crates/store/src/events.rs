//! What happens to the security of a customer: who logged in, who was let in, what was changed, by whom. It is a list to
//! look through, and goes by itself: what has to last of it is a revision.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use domain::{Digest, RuleError, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use crate::Customer;
use crate::items::{self, Item};
use crate::keys::{self, SortKey, time, unknown_key};

/// Where somebody came from is not kept for longer.
const KEPT_FOR: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// What people change is, too, a revision: this is how long it is in the list.
const CHANGE_KEPT_FOR: Duration = Duration::from_secs(400 * 24 * 60 * 60);

pub(crate) const EVENT: &str = "event";

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Somebody logged in.
    LoggedIn,
    /// Somebody logged in with a device that they never used before.
    LoggedInFromNewDevice,
    /// Somebody tried to log in, with a wrong password.
    LogInFailed,
    SessionsEnded,
    PasswordChanged,
    /// A password was set by a link.
    PasswordReset,
    /// An admin, or whoever runs the service, made a link to set a password.
    PasswordResetMade,
    CompanySignedUp,
    CompanyChanged,
    PersonInvited,
    InvitationWithdrawn,
    PersonJoined,
    RoleChanged,
    PersonRemoved,
    TokenMade,
    TokenRevoked,
    Suspended,
    Resumed,
    QuotaChanged,
}

impl EventKind {
    const fn kept_for(self) -> Duration {
        match self {
            Self::LoggedIn
            | Self::LoggedInFromNewDevice
            | Self::LogInFailed
            | Self::SessionsEnded
            | Self::PasswordChanged
            | Self::PasswordReset
            | Self::PasswordResetMade => KEPT_FOR,
            Self::CompanySignedUp
            | Self::CompanyChanged
            | Self::PersonInvited
            | Self::InvitationWithdrawn
            | Self::PersonJoined
            | Self::RoleChanged
            | Self::PersonRemoved
            | Self::TokenMade
            | Self::TokenRevoked
            | Self::Suspended
            | Self::Resumed
            | Self::QuotaChanged => CHANGE_KEPT_FOR,
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub kind: EventKind,
    /// Who did it; absent: whoever runs the service, or somebody who was not logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// Whom it is about, where that is somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whom: Option<UserId>,
    /// The network that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What the client called itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl Event {
    pub const fn new(kind: EventKind, by: Option<UserId>) -> Self {
        Self { kind, by, whom: None, source: None, device: None }
    }

    #[must_use]
    pub const fn about(mut self, whom: UserId) -> Self {
        self.whom = Some(whom);
        self
    }

    #[must_use]
    pub fn from(mut self, source: &str, device: &str) -> Self {
        self.source = Some(source.to_owned());
        self.device = Some(device.to_owned());
        self
    }

    /// The row of it at a customer's.
    pub(crate) fn item(&self, customer: &Customer, at: Timestamp) -> Item {
        let json = serde_json::to_string(self).expect("events become JSON");
        let digest = Digest::of(&[json.as_bytes()]).to_string();
        let place = EventPlace { at, digest: digest[..16].to_owned() };
        let partition = keys::customer_partition(customer.id());
        let mut item = items::key(&partition, &SortKey::Event(place));
        item.insert(EVENT.to_owned(), items::text(json));
        let expires_at = at.after(self.kind.kept_for()).seconds();
        item.insert(items::EXPIRES_AT.to_owned(), items::number(expires_at));
        item
    }
}

/// Where an event stands in the list: when it was, and a part of its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPlace {
    pub at: Timestamp,
    pub(crate) digest: String,
}

impl fmt::Display for EventPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:013}.{}", self.at.millis(), self.digest)
    }
}

impl FromStr for EventPlace {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (millis, digest) = text.split_once('.').ok_or_else(unknown_key)?;
        let is_hex = digest.len() == 16 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex {
            return Err(unknown_key());
        }
        Ok(Self { at: time(millis)?, digest: digest.to_owned() })
    }
}
