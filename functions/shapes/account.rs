use domain::{CompanyName, CustomerId, Email, PersonName, Revision, Role, UserId};
use serde::{Deserialize, Serialize};
use store::{CustomerProfile, UserProfile};

#[derive(Debug, Serialize, Deserialize)]
pub struct CustomerView {
    pub id: CustomerId,
    pub name: CompanyName,
}

impl CustomerView {
    pub fn new(id: CustomerId, revision: &Revision<CustomerProfile>) -> Self {
        Self { id, name: revision.content.name.clone() }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct UserView {
    pub id: UserId,
    pub name: PersonName,
    pub email: Email,
    pub role: Role,
}

impl UserView {
    pub fn new(id: UserId, revision: &Revision<UserProfile>) -> Self {
        let UserProfile { email, name, role } = revision.content.clone();
        Self { id, name, email, role }
    }
}
