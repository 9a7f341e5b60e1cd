//! Logins: which e-mail address opens which account, and how often someone has tried.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::{CustomerId, Email, Timestamp, UserId};
use passwords::StoredHash;

use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::{Customer, SignUp, Store, StoreError};

/// Failed logins are counted per address *and* source over this long, so that a stranger cannot
/// lock a person out.
pub const ATTEMPT_WINDOW: Duration = Duration::from_secs(15 * 60);
/// More tries than a person needs, far fewer than a guesser does.
pub const ATTEMPTS_MAX: u32 = 10;
/// Log-ins and sign-ups from one source, whatever the account: a shift of a factory that comes from
/// one address logs in, somebody who tries one password on all accounts does not get far.
pub const SOURCE_ATTEMPTS_MAX: u32 = 500;
/// Turns in which an ended window may be taken away by somebody else.
const COUNT_TRIES_MAX: u32 = 4;

pub(crate) const CUSTOMER: &str = "customer_id";
pub(crate) const USER: &str = "user_id";
pub(crate) const PASSWORD_HASH: &str = "password_hash";
const COUNT: &str = "count";

/// An account that an e-mail address opens, given the password.
#[derive(Clone, Debug)]
pub struct Login {
    pub(crate) customer: Customer,
    pub user: UserId,
    pub password: StoredHash,
}

impl Login {
    pub const fn customer_id(&self) -> CustomerId {
        self.customer.id()
    }
}

/// One try to log in, counted before it is made so that parallel tries count too.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Tries within the window, this one included.
    pub count: u32,
    max: u32,
    pub window_ends_at: Timestamp,
}

impl Attempt {
    /// How long to wait before trying again; `None` if this try may be made.
    pub fn refused_for(&self, now: Timestamp) -> Option<Duration> {
        (self.count > self.max).then(|| self.window_ends_at.since(now))
    }
}

pub(crate) fn login_item(customer: &Customer, sign_up: &SignUp) -> Item {
    let partition = keys::login_partition(&sign_up.owner.content.email);
    let mut item = items::key(&partition, &SortKey::Login);
    item.insert(CUSTOMER.to_owned(), items::text(customer.id()));
    item.insert(USER.to_owned(), items::text(sign_up.owner_id));
    item.insert(PASSWORD_HASH.to_owned(), items::text(sign_up.password.as_stored()));
    item
}

impl Store {
    /// Counts a try to log in, for the account and for `source`, and looks the account up, at once.
    /// The attempt is the one that is refused, if either is.
    pub async fn attempt_login(
        &self,
        email: &Email,
        source: &str,
        now: Timestamp,
    ) -> Result<(Attempt, Option<Login>), StoreError> {
        let (of_account, of_source, login) = tokio::try_join!(
            self.count_attempt(account_key(email, source), ATTEMPTS_MAX, now),
            self.count_attempt(source_key(source), SOURCE_ATTEMPTS_MAX, now),
            self.login(email),
        )?;
        let refused = of_source.refused_for(now).is_some();
        Ok((if refused { of_source } else { of_account }, login))
    }

    /// The account that an e-mail address opens.
    pub async fn login(&self, email: &Email) -> Result<Option<Login>, StoreError> {
        let answer = self
            .dynamo
            .get_item()
            .table_name(&self.tables.logins)
            .set_key(Some(items::key(&keys::login_partition(email), &SortKey::Login)))
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let Some(item) = answer.item else {
            return Ok(None);
        };
        let fields = Fields(&item);
        Ok(Some(Login {
            customer: Customer::new(fields.parse(CUSTOMER)?),
            user: fields.parse(USER)?,
            password: StoredHash::from_stored(fields.text(PASSWORD_HASH)?.to_owned()),
        }))
    }

    /// Counts a try to sign up from `source`.
    pub async fn attempt_sign_up(
        &self,
        source: &str,
        now: Timestamp,
    ) -> Result<Attempt, StoreError> {
        self.count_attempt(source_key(source), SOURCE_ATTEMPTS_MAX, now).await
    }

    /// Counts one more in the window that is open, or opens one: in one request, unless an ended
    /// window is in the way, since time to live deletes late.
    pub(crate) async fn count_attempt(
        &self,
        key: Item,
        max: u32,
        now: Timestamp,
    ) -> Result<Attempt, StoreError> {
        let window_ends_at_s = now.after(ATTEMPT_WINDOW).seconds();
        for _ in 0..COUNT_TRIES_MAX {
            let answer = self
                .dynamo
                .update_item()
                .table_name(&self.tables.sessions)
                .set_key(Some(key.clone()))
                .update_expression(
                    "SET #expires_at = if_not_exists(#expires_at, :window) ADD #count :one",
                )
                .expression_attribute_names("#count", COUNT)
                .expression_attribute_names("#expires_at", items::EXPIRES_AT)
                .expression_attribute_values(":one", items::number(1))
                .expression_attribute_values(":window", items::number(window_ends_at_s))
                .return_values(ReturnValue::AllNew)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            let item = answer.attributes.unwrap_or_default();
            let fields = Fields(&item);
            let (count, ends_at_s) = (fields.parse(COUNT)?, fields.parse(items::EXPIRES_AT)?);
            if ends_at_s > now.seconds() {
                return Ok(Attempt { count, max, window_ends_at: of_seconds(ends_at_s) });
            }
            let opened = self
                .dynamo
                .update_item()
                .table_name(&self.tables.sessions)
                .set_key(Some(key.clone()))
                .update_expression("SET #count = :one, #expires_at = :window")
                .condition_expression("#expires_at = :ended")
                .expression_attribute_names("#count", COUNT)
                .expression_attribute_names("#expires_at", items::EXPIRES_AT)
                .expression_attribute_values(":one", items::number(1))
                .expression_attribute_values(":window", items::number(window_ends_at_s))
                .expression_attribute_values(":ended", items::number(ends_at_s))
                .send()
                .await;
            match opened {
                Ok(_) => {
                    let window_ends_at = of_seconds(window_ends_at_s);
                    return Ok(Attempt { count: 1, max, window_ends_at });
                }
                // Somebody else has just opened it, or it was deleted: count there.
                Err(error) if is_refused(&error) => {}
                Err(error) => return Err(StoreError::unavailable(error)),
            }
        }
        Err(StoreError::Busy)
    }

    /// Forgets tries of which the last one was right.
    pub async fn forget_attempts(&self, email: &Email, source: &str) -> Result<(), StoreError> {
        self.dynamo
            .delete_item()
            .table_name(&self.tables.sessions)
            .set_key(Some(account_key(email, source)))
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// Replaces an outdated password hash, unless the password was changed meanwhile.
    pub async fn renew_password_hash(
        &self,
        email: &Email,
        old: &StoredHash,
        new: &StoredHash,
    ) -> Result<(), StoreError> {
        let renewed = self
            .dynamo
            .update_item()
            .table_name(&self.tables.logins)
            .set_key(Some(items::key(&keys::login_partition(email), &SortKey::Login)))
            .update_expression("SET #hash = :new")
            .condition_expression("#hash = :old")
            .expression_attribute_names("#hash", PASSWORD_HASH)
            .expression_attribute_values(":new", items::text(new.as_stored()))
            .expression_attribute_values(":old", items::text(old.as_stored()))
            .send()
            .await;
        match renewed {
            Err(error) if !is_refused(&error) => Err(StoreError::unavailable(error)),
            _ => Ok(()),
        }
    }
}

fn of_seconds(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn is_refused(error: &SdkError<UpdateItemError>) -> bool {
    let error = error.as_service_error();
    matches!(error, Some(UpdateItemError::ConditionalCheckFailedException(_)))
}

fn account_key(email: &Email, source: &str) -> Item {
    items::key(&keys::attempts_partition(email), &SortKey::Attempts(source.to_owned()))
}

fn source_key(source: &str) -> Item {
    let sort = SortKey::Attempts(source.to_owned());
    items::key(&keys::source_partition(source), &sort)
}
