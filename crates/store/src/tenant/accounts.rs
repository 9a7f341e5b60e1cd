//! Customers and their users.

use domain::{CustomerId, Revision, UserId};
use passwords::StoredHash;

use super::logins::login_item;
use super::reads::{FoundItems, Wanted};
use super::{Lookup, Read};
use crate::keys::{self, SortKey};
use crate::transaction::{Step, Transaction};
use crate::{
    Customer, CustomerProfile, Remember, Store, StoreError, TableKind, UserProfile, WriteError,
};

/// The customer whose session it is.
pub struct CustomerKey;

impl Read for CustomerKey {
    type Found = Lookup<CustomerProfile>;

    fn ask(&self, items: &mut Wanted<'_>) {
        items.item(TableKind::Accounts, SortKey::Customer);
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        items.thing(&SortKey::Customer)
    }
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
        Transaction::new(&self.database)
            .put_new(Step::Login, TableKind::Logins, login_item(&customer, sign_up))
            .create(&customer, &SortKey::Customer, &sign_up.customer)
            .create(&customer, &SortKey::User(sign_up.owner_id), &sign_up.owner)
            .remember(
                TableKind::Accounts,
                &keys::sign_up_partition(email),
                &SortKey::SignUp(remember.key.clone()),
                remember,
            )
            .commit()
            .await
            .map_err(WriteError::from)
    }
}
