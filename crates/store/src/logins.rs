//! Logins: which e-mail address opens which account, and how often someone has tried.

use std::time::Duration;

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

const CUSTOMER: &str = "customer_id";
const USER: &str = "user_id";
const PASSWORD_HASH: &str = "password_hash";
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
    pub window_ends_at: Timestamp,
}

impl Attempt {
    /// How long to wait before trying again; `None` if this try may be made.
    pub fn refused_for(&self, now: Timestamp) -> Option<Duration> {
        (self.count > ATTEMPTS_MAX).then(|| self.window_ends_at.since(now))
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
    /// Counts a try to log in from `source` and looks the account up, at once.
    pub async fn attempt_login(
        &self,
        email: &Email,
        source: &str,
        now: Timestamp,
    ) -> Result<(Attempt, Option<Login>), StoreError> {
        tokio::try_join!(self.count_attempt(email, source, now), self.login(email))
    }

    async fn login(&self, email: &Email) -> Result<Option<Login>, StoreError> {
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

    async fn count_attempt(
        &self,
        email: &Email,
        source: &str,
        now: Timestamp,
    ) -> Result<Attempt, StoreError> {
        let window_ends_at = now.after(ATTEMPT_WINDOW);
        let counted = self
            .dynamo
            .update_item()
            .table_name(&self.tables.sessions)
            .set_key(Some(attempts_key(email, source)))
            .update_expression(
                "ADD #count :one SET #expires_at = if_not_exists(#expires_at, :window)",
            )
            // Time to live deletes late: an ended window is not counted on.
            .condition_expression("attribute_not_exists(#expires_at) OR #expires_at > :now")
            .expression_attribute_names("#count", COUNT)
            .expression_attribute_names("#expires_at", items::EXPIRES_AT)
            .expression_attribute_values(":one", items::number(1))
            .expression_attribute_values(":window", items::number(window_ends_at.seconds()))
            .expression_attribute_values(":now", items::number(now.seconds()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match counted {
            Ok(answer) => {
                let item = answer.attributes.unwrap_or_default();
                let fields = Fields(&item);
                let ends_at: i64 = fields.parse(items::EXPIRES_AT)?;
                Ok(Attempt {
                    count: fields.parse(COUNT)?,
                    window_ends_at: Timestamp::from_millis(ends_at * 1_000),
                })
            }
            Err(error)
                if matches!(
                    error.as_service_error(),
                    Some(UpdateItemError::ConditionalCheckFailedException(_))
                ) =>
            {
                self.start_window(email, source, window_ends_at).await?;
                Ok(Attempt { count: 1, window_ends_at })
            }
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    async fn start_window(
        &self,
        email: &Email,
        source: &str,
        ends_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut item = attempts_key(email, source);
        item.insert(COUNT.to_owned(), items::number(1));
        item.insert(items::EXPIRES_AT.to_owned(), items::number(ends_at.seconds()));
        self.dynamo
            .put_item()
            .table_name(&self.tables.sessions)
            .set_item(Some(item))
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// Forgets the tries from `source`: the last one was right.
    pub async fn forget_attempts(&self, email: &Email, source: &str) -> Result<(), StoreError> {
        self.dynamo
            .delete_item()
            .table_name(&self.tables.sessions)
            .set_key(Some(attempts_key(email, source)))
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
            Ok(_) => Ok(()),
            Err(error)
                if matches!(
                    error.as_service_error(),
                    Some(UpdateItemError::ConditionalCheckFailedException(_))
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }
}

fn attempts_key(email: &Email, source: &str) -> Item {
    items::key(&keys::attempts_partition(email), &SortKey::Attempts(source.to_owned()))
}
