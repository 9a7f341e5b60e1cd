//! Passwords that change, and what lets somebody set one who has forgotten theirs.

use domain::{LoginId, ResetToken, Timestamp};
use passwords::StoredHash;

use super::Login;
use crate::items::{self, Fields};
use crate::keys::{self, SortKey};
use crate::transaction::Transaction;
use crate::{Customer, Store, StoreError, TableKind, WriteError};

/// Where the login is that a reset is of.
const LOGIN_KEY: &str = "login_key";

impl Store {
    /// Keeps what lets somebody set a password, until it expires.
    pub async fn keep_reset(
        &self,
        login: &Login,
        token: &ResetToken,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let sort = SortKey::Reset(token.hash().to_string());
        let mut item = items::key(&keys::login_partition(login.id), &sort);
        let at = Fields(&login.key).text(items::PARTITION)?;
        item.insert(LOGIN_KEY.to_owned(), items::text(at));
        item.insert(items::EXPIRES_AT.to_owned(), items::number(expires_at.seconds()));
        self.database.put(self.database.tables.name(TableKind::Sessions), item).await
    }

    /// Whose password a token lets somebody set; `None` where it is none, is used up or has expired.
    pub async fn reset_of(
        &self,
        token: &ResetToken,
        now: Timestamp,
    ) -> Result<Option<Login>, StoreError> {
        let sort = SortKey::Reset(token.hash().to_string());
        let key = items::key(&keys::login_partition(token.login), &sort);
        let table = self.database.tables.name(TableKind::Sessions);
        let Some(item) = self.database.item(table, key).await? else { return Ok(None) };
        // Time to live deletes late.
        if Fields(&item).parse::<i64>(items::EXPIRES_AT)? < now.seconds() {
            return Ok(None);
        }
        self.login_at(Fields(&item).text(LOGIN_KEY)?).await
    }

    /// Sets a password, and uses the token up. `Stale`: it is used up.
    pub async fn reset_password(
        &self,
        login: &Login,
        token: &ResetToken,
        new: &StoredHash,
    ) -> Result<(), WriteError> {
        let sort = SortKey::Reset(token.hash().to_string());
        Transaction::new(&self.database)
            .spend(TableKind::Sessions, items::key(&keys::login_partition(token.login), &sort))
            .set_password(login.key.clone(), new)
            .commit()
            .await
            .map_err(WriteError::from)
    }
}

impl Login {
    /// Whether the person belongs to this customer alone, and never did to another.
    pub fn is_only_of(&self, customer: &Customer) -> bool {
        self.memberships.iter().all(|it| it.customer == *customer)
    }

    pub const fn id(&self) -> LoginId {
        self.id
    }
}
