//! Passwords that change, and what lets somebody set one who has forgotten theirs.

use domain::{Digest, LoginId, ResetToken, Role, Timestamp, UserId};
use passwords::StoredHash;

use super::{Login, Session};
use crate::items::{self, Fields};
use crate::keys::{self, SortKey};
use crate::transaction::Transaction;
use crate::{Customer, Event, Store, StoreError, TableKind, UserProfile, WriteError};

/// Where the login is that a reset is of.
const LOGIN_KEY: &str = "login_key";
/// The password that it takes the place of: the digest of its hash.
const IN_PLACE_OF: &str = "in_place_of";
/// Who at which customer lets somebody reset a password, where it is no operator.
const LET_BY: &str = "let_by";
const LET_AT: &str = "let_at";
const LET_WHOM: &str = "let_whom";

/// Who lets a colleague set a password.
pub struct LetBy<'a> {
    pub session: &'a Session,
    pub whom: UserId,
}

impl Store {
    /// Keeps what lets somebody set a password, until it expires.
    pub async fn keep_reset(
        &self,
        login: &Login,
        token: &ResetToken,
        let_by: Option<&LetBy<'_>>,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let sort = SortKey::Reset(token.hash().to_string());
        let mut item = items::key(&keys::login_partition(login.id), &sort);
        let at = Fields(&login.key).text(items::PARTITION)?;
        item.insert(LOGIN_KEY.to_owned(), items::text(at));
        item.insert(items::EXPIRES_AT.to_owned(), items::number(expires_at.seconds()));
        item.insert(IN_PLACE_OF.to_owned(), items::text(login.password_digest()));
        if let Some(LetBy { session, whom }) = let_by {
            item.insert(LET_BY.to_owned(), items::text(session.user));
            item.insert(LET_AT.to_owned(), items::text(session.customer.id()));
            item.insert(LET_WHOM.to_owned(), items::text(whom));
        }
        self.database.put(self.database.tables.name(TableKind::Sessions), item).await
    }

    /// Whose password a token lets somebody set; `None` where it is none, is used up or has expired, where the password
    /// was changed since, or where who has let them may do so no more.
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
        let fields = Fields(&item);
        let login = self.login_at(fields.text(LOGIN_KEY)?).await?;
        let Some(login) =
            login.filter(|it| fields.text(IN_PLACE_OF).ok() == Some(&it.password_digest()))
        else {
            return Ok(None);
        };
        if !item.contains_key(LET_BY) {
            return Ok(Some(login));
        }
        let customer = Customer::new(fields.parse(LET_AT)?);
        let by = self.role_of(&customer, fields.parse(LET_BY)?).await?;
        let whom = self.role_of(&customer, fields.parse(LET_WHOM)?).await?;
        let may = matches!((by, whom), (Some(by), Some(whom)) if by >= Role::Admin && by >= whom);
        Ok(Some(login).filter(|login| may && login.is_only_of(&customer)))
    }

    /// What somebody may do at a customer's; `None` where they do not belong there.
    pub(super) async fn role_of(
        &self,
        customer: &Customer,
        user: UserId,
    ) -> Result<Option<Role>, StoreError> {
        let key = items::key(&keys::customer_partition(customer.id()), &SortKey::User(user));
        let item = self.database.item(&self.database.tables.accounts, key).await?;
        let there = item.filter(|item| !item.contains_key(items::DELETED));
        let user = there.as_ref().map(items::read_revision::<UserProfile>).transpose()?;
        Ok(user.map(|user| user.content.role))
    }

    /// Sets a password, and uses the token up. `Stale`: it is used up.
    pub async fn reset_password(
        &self,
        login: &Login,
        token: &ResetToken,
        new: &StoredHash,
        event: &Event,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let sort = SortKey::Reset(token.hash().to_string());
        Transaction::new(&self.database)
            .spend(TableKind::Sessions, items::key(&keys::login_partition(token.login), &sort))
            .set_password(login.key.clone(), &login.password, new)
            .tell_all(login, event, now)
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

    /// Tells one password from another, without its hash.
    pub(crate) fn password_digest(&self) -> String {
        Digest::of(&[b"password", self.password.as_stored().as_bytes()]).to_string()
    }

    pub const fn id(&self) -> LoginId {
        self.id
    }
}
