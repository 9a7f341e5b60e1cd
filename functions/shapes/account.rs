use domain::{CompanyName, CustomerId, Email, PersonName, Revision, Role, UserId, stored};
use serde::{Deserialize, Serialize};
use store::{CustomerProfile, Usage, UserProfile};

/// A company.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Customer"))]
pub struct CustomerView {
    pub id: CustomerId,
    #[serde(deserialize_with = "stored")]
    pub name: CompanyName,
}

impl CustomerView {
    pub fn new(id: CustomerId, revision: &Revision<CustomerProfile>) -> Self {
        Self { id, name: revision.content.name.clone() }
    }
}

/// What a company keeps, or may.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Kept"))]
pub struct KeptView {
    /// Of appendix versions, from when they are reserved.
    pub bytes: u64,
    /// Appendix versions.
    pub versions: u64,
    /// Records that are not deleted.
    pub records: u64,
}

impl From<Usage> for KeptView {
    fn from(Usage { bytes, versions, records }: Usage) -> Self {
        Self { bytes, versions, records }
    }
}

/// A person of a company's.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "User"))]
pub struct UserView {
    pub id: UserId,
    #[serde(deserialize_with = "stored")]
    pub name: PersonName,
    #[serde(deserialize_with = "stored")]
    pub email: Email,
    pub role: Role,
}

impl UserView {
    pub fn new(id: UserId, revision: &Revision<UserProfile>) -> Self {
        let UserProfile { email, name, role } = revision.content.clone();
        Self { id, name, email, role }
    }
}
