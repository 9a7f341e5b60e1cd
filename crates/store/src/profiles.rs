//! Customers and users, in the form that they are stored in.

use domain::{CompanyName, Email, PersonName, Role, stored};
use serde::{Deserialize, Serialize};

use crate::usage::Usage;

/// What is known of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerProfile {
    #[serde(deserialize_with = "stored")]
    pub name: CompanyName,
    /// What it may keep, where that is something else than what everybody may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Usage>,
}

/// What is known of a user. The password hash is elsewhere, and in no revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserProfile {
    #[serde(deserialize_with = "stored")]
    pub email: Email,
    #[serde(deserialize_with = "stored")]
    pub name: PersonName,
    pub role: Role,
}
