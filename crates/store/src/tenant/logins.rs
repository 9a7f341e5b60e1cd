//! Logins: which e-mail address opens which account, and how often someone has tried.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::{CustomerId, Digest, LoginId, SignInName, Timestamp, UserId};
use passwords::StoredHash;

use super::{Place, Tries};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::{Customer, Store, StoreError, begun_with};

/// Tries are counted in windows of this length, the same ones for everybody, by the clock: a window
/// is a key of its own, so none has to be opened or ended.
const ATTEMPT_WINDOW: Duration = Duration::from_secs(15 * 60);
/// Tries of one account: more than a person needs, far fewer than a guesser does. They are counted
/// per source, so that a stranger cannot lock a person out.
const ATTEMPTS_MAX: u32 = 10;
/// Wrong log-ins and sign-ups from one source, whatever the account: somebody who tries one password on all
/// accounts does not get far.
const SOURCE_ATTEMPTS_MAX: u32 = 500;
/// Above this, each right log-in is taken off again: of a factory that comes from one address, as many log in
/// as want to. Below it, that is not worth a request.
const TAKEN_OFF_ABOVE: u32 = SOURCE_ATTEMPTS_MAX / 2;

pub(super) const COUNT: &str = "count";

/// What tries of an account are held to, by the attribute that counts them.
pub(super) const fn attempt_limits(account: &str) -> [(&str, u32); 2] {
    [(COUNT, SOURCE_ATTEMPTS_MAX), (account, ATTEMPTS_MAX)]
}

/// A person: what a password opens.
#[derive(Clone, Debug)]
pub struct Login {
    pub id: LoginId,
    /// Where the hash of the password is.
    pub(crate) key: Item,
    /// The companies that the person belongs to, or did; the first one first.
    pub memberships: Vec<Membership>,
    pub password: StoredHash,
}

/// That a person belongs to a company, or did: their account may be gone.
#[derive(Clone, Copy, Debug)]
pub struct Membership {
    pub(crate) customer: Customer,
    pub user: UserId,
}

impl Login {
    /// Whether it is of a release in which a person belonged to one company.
    pub(super) fn is_earlier(&self) -> bool {
        self.key != items::key(&keys::login_partition(self.id), &SortKey::Login)
    }
}

impl Membership {
    pub const fn customer_id(&self) -> CustomerId {
        self.customer.id()
    }

    fn read(item: &Item) -> Result<Self, StoreError> {
        let fields = Fields(item);
        let customer = Customer::new(fields.parse(items::CUSTOMER_ID)?);
        Ok(Self { customer, user: fields.parse(items::USER_ID)? })
    }
}

/// One try, counted before it is made so that parallel tries count too.
pub struct Attempt {
    /// Where it is counted, until `ends_at`.
    key: Item,
    ends_at: Timestamp,
    /// The tries within the window, this one included; none if it is refused.
    counts: Option<Item>,
    /// How long to wait for the failures of others.
    wait: Option<Duration>,
}

impl Attempt {
    /// How long to wait before trying again; `None` if this try may be made.
    pub fn refused_for(&self, now: Timestamp) -> Option<Duration> {
        match self.counts {
            None => Some(self.ends_at.since(now)),
            Some(_) => self.wait,
        }
    }
}

/// What opens the first account of a person, who begins with it.
pub(crate) fn login_item(customer: &Customer, user: UserId, password: &StoredHash) -> Item {
    let login = begun_with(user);
    let mut item = items::key(&keys::login_partition(login), &SortKey::Login);
    item.insert(items::CUSTOMER_ID.to_owned(), items::text(customer.id()));
    item.insert(items::USER_ID.to_owned(), items::text(user));
    item.insert(items::PASSWORD_HASH.to_owned(), items::text(password.as_stored()));
    item
}

/// Who logs in with a name.
pub(crate) fn sign_in_item(name: &SignInName, login: LoginId) -> Item {
    let mut item = items::key(&keys::sign_in_partition(name), &SortKey::SignIn);
    item.insert(items::LOGIN_ID.to_owned(), items::text(login));
    item
}

/// That a person belongs to one more company.
pub(crate) fn member_item(login: LoginId, customer: &Customer, user: UserId) -> Item {
    let mut item = items::key(&keys::login_partition(login), &SortKey::Member(customer.id(), user));
    item.insert(items::CUSTOMER_ID.to_owned(), items::text(customer.id()));
    item.insert(items::USER_ID.to_owned(), items::text(user));
    item
}

impl Store {
    /// Counts a try to log in, for the account and for `source`, and looks up the account and what is
    /// known of tries with its name, at once.
    pub async fn attempt_login(
        &self,
        name: &SignInName,
        source: &str,
        place: &Place,
        now: Timestamp,
    ) -> Result<(Attempt, Option<Login>, Tries), StoreError> {
        let account = keys::account_attempts(name);
        let limits = attempt_limits(&account);
        // Of who was refused a moment ago, nothing is looked up.
        let login = async {
            let refused = self.was_refused(source, SortKey::attempts, &limits, now);
            if refused { Ok(None) } else { self.login_and_tries(name).await.map(Some) }
        };
        let count = self.count_attempt(source, SortKey::attempts, &limits, now);
        let (mut attempt, found) = tokio::try_join!(count, login)?;
        let (login, tries) = match found {
            Some(found) => found,
            // Of many at once, somebody who was counted later was refused first: this one may try.
            None if attempt.refused_for(now).is_none() => self.login_and_tries(name).await?,
            None => (None, Tries::default()),
        };
        attempt.wait = tries.wait(place, now);
        Ok((attempt, login, tries))
    }

    /// The person who logs in with a name.
    pub async fn login(&self, name: &SignInName) -> Result<Option<Login>, StoreError> {
        self.login_at(&keys::sign_in_partition(name)).await
    }

    /// The person who logs in with a name, and what is known of tries with it: one request tells both.
    async fn login_and_tries(
        &self,
        name: &SignInName,
    ) -> Result<(Option<Login>, Tries), StoreError> {
        let partition = keys::sign_in_partition(name);
        let found = self.logins_of(&partition).await?;
        let tries =
            found.iter().find(|item| item.get(items::SORT) == Some(&items::text(SortKey::Tries)));
        let tries = tries.map(Tries::read).unwrap_or_default();
        Ok((self.login_of(&partition, found).await?, tries))
    }

    /// The person whose name or login is in a partition.
    pub(super) async fn login_at(&self, partition: &str) -> Result<Option<Login>, StoreError> {
        self.login_of(partition, self.logins_of(partition).await?).await
    }

    async fn login_of(
        &self,
        partition: &str,
        found: Vec<Item>,
    ) -> Result<Option<Login>, StoreError> {
        let is_known = |item: &Item| {
            [items::LOGIN_ID, items::PASSWORD_HASH].iter().any(|it| item.contains_key(*it))
        };
        if !found.iter().any(is_known) {
            // A name that nobody has takes as long as one that leads to a login.
            let digest = Digest::of(&[partition.as_bytes()]);
            let nobody = digest.as_bytes().first_chunk().map(|it| LoginId::from_bytes(*it));
            let nobody = nobody.expect("a digest is longer than an id");
            self.logins_of(&keys::login_partition(nobody)).await?;
            return Ok(None);
        }
        let is_name = |item: &&Item| item.contains_key(items::LOGIN_ID);
        if let Some(name) = found.iter().find(is_name) {
            let login = Fields(name).parse(items::LOGIN_ID)?;
            return person(self.logins_of(&keys::login_partition(login)).await?);
        }
        // Of an earlier release, the companies that somebody has joined since are apart.
        let Some(joined) = found.iter().find(|item| item.contains_key(items::JOINED)) else {
            return person(found);
        };
        let login = begun_with(Fields(joined).parse(items::USER_ID)?);
        let members = self.logins_of(&keys::login_partition(login)).await?;
        person([found, members].concat())
    }

    async fn logins_of(&self, partition: &str) -> Result<Vec<Item>, StoreError> {
        self.database.rows(&self.database.tables.logins, partition, "").await
    }

    /// Counts a try to sign up from `source`, among those to log in: repeated, it tells whether a password is
    /// right.
    pub async fn attempt_sign_up(
        &self,
        name: &SignInName,
        source: &str,
        now: Timestamp,
    ) -> Result<Attempt, StoreError> {
        let account = keys::account_attempts(name);
        let limits = attempt_limits(&account);
        self.count_attempt(source, SortKey::attempts, &limits, now).await
    }

    /// Counts one more of each in the window of `now`, unless one of them has reached its limit: what
    /// is refused is not counted, so that an item does not grow without end, and who is refused one
    /// account does not use up what all who come from there have.
    pub(crate) async fn count_attempt(
        &self,
        source: &str,
        kind: fn(Timestamp) -> SortKey,
        limits: &[(&str, u32)],
        now: Timestamp,
    ) -> Result<Attempt, StoreError> {
        let window = now.start_of(ATTEMPT_WINDOW);
        let ends_at = window.after(ATTEMPT_WINDOW);
        let key = items::key(&keys::source_partition(source), &kind(window));
        if self.was_refused(source, kind, limits, now) {
            return Ok(Attempt { key, ends_at, counts: None, wait: None });
        }
        let (mut adds, mut conditions) = (Vec::new(), Vec::new());
        let mut update = self
            .database
            .dynamo
            .update_item()
            .table_name(&self.database.tables.sessions)
            .set_key(Some(key.clone()))
            .expression_attribute_names("#expires_at", items::EXPIRES_AT)
            .expression_attribute_values(":ends_at", items::number(ends_at.seconds()))
            .expression_attribute_values(":one", items::number(1));
        for (n, (name, max)) in limits.iter().enumerate() {
            adds.push(format!("#count{n} :one"));
            conditions.push(format!("(attribute_not_exists(#count{n}) OR #count{n} < :max{n})"));
            update = update
                .expression_attribute_names(format!("#count{n}"), *name)
                .expression_attribute_values(format!(":max{n}"), items::number(*max));
        }
        let counted = update
            .update_expression(format!("SET #expires_at = :ends_at ADD {}", adds.join(", ")))
            .condition_expression(conditions.join(" AND "))
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        if let Some(UpdateItemError::ConditionalCheckFailedException(refusal)) =
            counted.as_ref().err().and_then(SdkError::as_service_error)
        {
            let count = |name: &str| refusal.item()?.get(name)?.as_n().ok()?.parse::<u32>().ok();
            let reached =
                limits.iter().find(|(name, max)| count(name).is_some_and(|it| it >= *max));
            if let Some((name, _)) = reached {
                self.refused.note(refused_by(source, &kind(window), name), now, ends_at);
            }
        }
        let counts = unless_refused(counted)?.map(|answer| answer.attributes.unwrap_or_default());
        Ok(Attempt { key, ends_at, counts, wait: None })
    }

    /// Whether this process knows that a limit is reached.
    fn was_refused(
        &self,
        source: &str,
        kind: fn(Timestamp) -> SortKey,
        limits: &[(&str, u32)],
        now: Timestamp,
    ) -> bool {
        let window = kind(now.start_of(ATTEMPT_WINDOW));
        limits.iter().any(|(name, _)| self.refused.is(&refused_by(source, &window, name), now))
    }

    /// Forgets the tries of an account of which the last one was right, and takes that one off what its source
    /// has. An only one is not worth a request, as long as its source has few: the next right one forgets it too.
    pub async fn forget_attempts(
        &self,
        attempt: &Attempt,
        name: &SignInName,
    ) -> Result<(), StoreError> {
        let account = keys::account_attempts(name);
        let count = |name: &str| {
            let counted = attempt.counts.as_ref().and_then(|counts| counts.get(name)?.as_n().ok());
            counted.and_then(|count| count.parse().ok()).unwrap_or(0)
        };
        if count(&account) <= 1 && count(COUNT) <= TAKEN_OFF_ABOVE {
            return Ok(());
        }
        let forgotten = self
            .database
            .dynamo
            .update_item()
            .table_name(&self.database.tables.sessions)
            .set_key(Some(attempt.key.clone()))
            .update_expression("REMOVE #account ADD #count :one_less")
            .condition_expression("attribute_exists(#account)")
            .expression_attribute_names("#account", account)
            .expression_attribute_names("#count", COUNT)
            .expression_attribute_values(":one_less", items::number(-1))
            .send()
            .await;
        unless_refused(forgotten)?;
        Ok(())
    }

    /// Replaces an outdated password hash. False: it is another one meanwhile.
    pub async fn renew_password_hash(
        &self,
        login: &Login,
        new: &StoredHash,
    ) -> Result<bool, StoreError> {
        let renewed = self
            .database
            .dynamo
            .update_item()
            .table_name(&self.database.tables.logins)
            .set_key(Some(login.key.clone()))
            .update_expression("SET #hash = :new")
            .condition_expression("#hash = :old")
            .expression_attribute_names("#hash", items::PASSWORD_HASH)
            .expression_attribute_values(":new", items::text(new.as_stored()))
            .expression_attribute_values(":old", items::text(login.password.as_stored()))
            .send()
            .await;
        Ok(unless_refused(renewed)?.is_some())
    }
}

/// A person, of what is in their partition; `None` without a password.
fn person(items: Vec<Item>) -> Result<Option<Login>, StoreError> {
    let has_hash = |item: &&Item| item.contains_key(items::PASSWORD_HASH);
    let Some(first) = items.iter().find(has_hash) else { return Ok(None) };
    let fields = Fields(first);
    let founder = Membership::read(first)?;
    let mut memberships = vec![founder];
    for item in &items {
        if let SortKey::Member(..) = Fields(item).sort_key()? {
            memberships.push(Membership::read(item)?);
        }
    }
    let key = fields.key()?.item();
    let password = StoredHash::from_stored(fields.text(items::PASSWORD_HASH)?.to_owned());
    Ok(Some(Login { id: begun_with(founder.user), key, memberships, password }))
}

/// What a limit that is reached is remembered by.
fn refused_by(source: &str, window: &SortKey, limit: &str) -> String {
    format!("{source} {window} {limit}")
}

/// The answer, or `None` where the condition of the update did not hold.
fn unless_refused(
    updated: Result<UpdateItemOutput, SdkError<UpdateItemError>>,
) -> Result<Option<UpdateItemOutput>, StoreError> {
    match updated {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(None),
            _ => Err(StoreError::unavailable(error)),
        },
    }
}
