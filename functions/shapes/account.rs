use domain::{
    CompanyName, CustomerId, Language, PersonName, Revision, Role, ShortName, SignInName, TimeZone,
    Timestamp, UserId, Version, stored,
};
use serde::{Deserialize, Serialize};
use store::{CustomerProfile, PersonCard, Usage, UserProfile};

/// A company.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Customer"))]
pub struct CustomerView {
    pub id: CustomerId,
    #[serde(deserialize_with = "stored")]
    pub name: CompanyName,
    /// What stands behind the @ of its people's own names; null where it has none yet.
    #[serde(default, deserialize_with = "stored")]
    pub short_name: Option<ShortName>,
}

impl CustomerView {
    pub fn new(id: CustomerId, revision: &Revision<CustomerProfile>) -> Self {
        let CustomerProfile { name, short_name, .. } = revision.content.clone();
        Self { id, name, short_name }
    }
}

/// A company as its people see it. The version is its entity tag too.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Company"))]
pub struct CompanyView {
    #[serde(flatten)]
    pub customer: CustomerView,
    /// In which its people see times; null where nobody has said.
    pub time_zone: Option<TimeZone>,
    /// In which it writes to people; null where nobody has said.
    pub language: Option<Language>,
    pub version: Version,
    pub changed_at: Timestamp,
}

impl CompanyView {
    pub fn new(id: CustomerId, revision: &Revision<CustomerProfile>) -> Self {
        let customer = CustomerView::new(id, revision);
        let CustomerProfile { time_zone, language, .. } = revision.content.clone();
        Self {
            customer,
            time_zone,
            language,
            version: revision.version,
            changed_at: revision.changed_at,
        }
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
    /// Null of somebody who was forgotten.
    #[serde(default, deserialize_with = "stored")]
    pub name: Option<PersonName>,
    /// What the person logs in with; null of somebody who was forgotten, and where others do not see it.
    #[serde(default, deserialize_with = "stored")]
    pub sign_in_name: Option<SignInName>,
    pub role: Role,
}

impl UserView {
    pub fn new(id: UserId, user: &UserProfile, card: Option<PersonCard>) -> Self {
        let card = card.or_else(|| user.earlier_card());
        let (name, sign_in_name) = card.map(|card| (card.name, card.sign_in)).unzip();
        Self { id, name, sign_in_name, role: user.role }
    }
}
