//! Customers and their users.

use domain::{CompanyName, CustomerId, Email, PersonName, Revision, Role, UserId};
use passwords::StoredHash;
use serde::{Deserialize, Serialize};

use crate::keys::{self, SortKey};
use crate::logins::login_item;
use crate::transaction::{Step, Transaction};
use crate::{Customer, Remember, Store, WriteError};

/// What is known of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerProfile {
    pub name: CompanyName,
}

/// What is known of a user. The password hash is elsewhere, and in no revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserProfile {
    pub email: Email,
    pub name: PersonName,
    pub role: Role,
}

/// A customer about to be created, with its owner.
pub struct SignUp {
    pub customer_id: CustomerId,
    pub customer: Revision<CustomerProfile>,
    pub owner_id: UserId,
    pub owner: Revision<UserProfile>,
    pub password: StoredHash,
}

impl Store {
    /// Creates a customer, its owner and the owner's login, all or none. `Exists`: somebody has
    /// signed up with this e-mail address.
    pub async fn sign_up(&self, sign_up: &SignUp, remember: &Remember) -> Result<(), WriteError> {
        let email = &sign_up.owner.content.email;
        let customer = Customer::new(sign_up.customer_id);
        let table = &self.tables.accounts;
        Transaction::new(self)
            .put_new(Step::Login, &self.tables.logins, login_item(&customer, sign_up))
            .create(table, &customer, &SortKey::Customer, &sign_up.customer)
            .create(table, &customer, &SortKey::User(sign_up.owner_id), &sign_up.owner)
            .remember(
                table,
                &keys::sign_up_partition(email),
                &SortKey::SignUp(remember.key.clone()),
                remember,
            )
            .commit()
            .await
            .map_err(WriteError::from)
    }
}
