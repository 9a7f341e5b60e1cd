//! People who are forgotten: what is personal of them goes, and what they did stays, under their id. The ledger says who
//! was forgotten, so that no restore brings them back.

use domain::{CustomerId, Digest, LoginId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::Operator;
use super::scanned::login_digest;
use crate::cards::read_card;
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::tables::document;
use crate::{PersonCard, RowKey, StoreError, TableKind, UserProfile, content};

/// Whom, and when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Forgotten {
    pub customer: CustomerId,
    pub user: UserId,
    pub at: Timestamp,
}

/// What a sum has to leave out, and to take in, since somebody was forgotten: a release before this one kept names in
/// revisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// By the name of its table.
    pub table: String,
    /// Where the thing is that the sum is about.
    pub thing: String,
    /// When it was written: a sum of what is older than that does not have it.
    pub changed_at: Timestamp,
    pub old: Digest,
    /// Absent: it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Digest>,
}

/// What there is to forget of somebody.
pub struct Person {
    forgotten: Forgotten,
    /// What the person logs in with, where that is known still.
    card: Option<PersonCard>,
    /// The revisions that have what is personal in them, and the thing itself, as they are and as they will be.
    redacted: Vec<Item>,
    /// Whether the person belongs to no company any more.
    is_nowhere: bool,
    /// Where their login is, of an earlier release.
    earlier_login: Option<Item>,
    pub redactions: Vec<Redaction>,
}

/// Why nobody was forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    #[error("there is no such person at this company")]
    Unknown,
    #[error("the person belongs to the company: remove them first")]
    StillThere,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Operator {
    /// What there is to forget of a person who was removed. Nothing is changed.
    pub async fn person(
        &self,
        customer: CustomerId,
        user: UserId,
        now: Timestamp,
    ) -> Result<Person, ForgetError> {
        let partition = keys::customer_partition(customer);
        let (accounts, sort) = (self.table_name(TableKind::Accounts), SortKey::User(user));
        let item = self.database.item(accounts, items::key(&partition, &sort)).await?;
        let item = item.ok_or(ForgetError::Unknown)?;
        let profile = items::read_revision::<UserProfile>(&item)?;
        if !profile.deleted {
            return Err(ForgetError::StillThere);
        }
        let card =
            self.database.item(accounts, items::key(&partition, &SortKey::Card(user))).await?;
        let card = card.as_ref().map(read_card).transpose()?;
        let card = card.or_else(|| profile.content.earlier_card());
        let login = profile.content.login_of(user);
        let earlier = match &card {
            Some(card) => {
                let key = items::key(&keys::sign_in_partition(&card.sign_in), &SortKey::Login);
                self.database.item(self.table_name(TableKind::Logins), key).await?
            }
            None => None,
        };
        let is_nowhere = self.is_nowhere(login, earlier.as_ref()).await?;
        let (mut redacted, mut redactions) = (Vec::new(), Vec::new());
        if profile.content.earlier_card().is_some() {
            let prefix = keys::revisions_prefix(&sort);
            let mut revisions = self.database.rows(accounts, &partition, &prefix).await?;
            revisions.push(item);
            for item in revisions {
                let (item, redaction) = redact(&item, &partition, &sort)?;
                redacted.push(item);
                redactions.extend(redaction);
            }
        }
        let earlier_login = earlier.filter(|_| is_nowhere);
        if let Some(item) = &earlier_login {
            let key = Fields(item).key()?;
            redactions.push(Redaction {
                table: TableKind::Logins.name().to_owned(),
                thing: key.to_string(),
                changed_at: profile.created_at,
                old: login_digest(&key, customer, user),
                new: None,
            });
        }
        let forgotten = Forgotten { customer, user, at: now };
        Ok(Person { forgotten, card, redacted, is_nowhere, earlier_login, redactions })
    }

    /// Whether nobody of this login belongs to any company.
    async fn is_nowhere(&self, login: LoginId, earlier: Option<&Item>) -> Result<bool, StoreError> {
        let logins = self.table_name(TableKind::Logins);
        let mut members = self.database.rows(logins, &keys::login_partition(login), "").await?;
        members.extend(earlier.cloned());
        for member in members {
            let fields = Fields(&member);
            let customer: CustomerId = fields.parse(items::CUSTOMER_ID)?;
            let user: UserId = fields.parse(items::USER_ID)?;
            let key = items::key(&keys::customer_partition(customer), &SortKey::User(user));
            let there = self.database.item(self.table_name(TableKind::Accounts), key).await?;
            if there.is_some_and(|item| !item.contains_key(items::DELETED)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Forgets a person. Done again, it is done.
    pub async fn forget(&self, person: &Person) -> Result<(), StoreError> {
        let forgotten = &person.forgotten;
        let sort = SortKey::Forgotten(forgotten.customer, forgotten.user);
        let row = document(keys::FORGOTTEN_PARTITION, &sort, forgotten.at, forgotten);
        self.database.put_once(row).await?;
        self.take_away(person).await
    }

    async fn take_away(&self, person: &Person) -> Result<(), StoreError> {
        let Person { forgotten, card, .. } = person;
        let partition = keys::customer_partition(forgotten.customer);
        let (accounts, logins) =
            (self.table_name(TableKind::Accounts), self.table_name(TableKind::Logins));
        let sign_in = card.as_ref().map(|card| keys::sign_in_partition(&card.sign_in));
        if let Some(name) = sign_in.filter(|_| person.is_nowhere) {
            for sort in [SortKey::SignIn, SortKey::Tries] {
                self.database.delete(logins, items::key(&name, &sort)).await?;
            }
        }
        if let Some(item) = &person.earlier_login {
            self.database.delete(logins, Fields(item).key()?.item()).await?;
        }
        // What says what else there is goes last: the thing itself, and the card.
        for item in &person.redacted {
            self.database.put(accounts, item.clone()).await?;
        }

        let card = items::key(&partition, &SortKey::Card(forgotten.user));
        self.database.delete(accounts, card).await
    }

    /// Everybody who was forgotten.
    pub async fn forgotten(&self) -> Result<Vec<Forgotten>, StoreError> {
        self.documents(keys::FORGOTTEN_PARTITION, "").await
    }

    /// Forgets again who was forgotten before, after a restore to a time at which they were known. How many people.
    pub async fn forget_again(&self) -> Result<u64, StoreError> {
        let mut again = 0;
        for Forgotten { customer, user, at } in self.forgotten().await? {
            match self.person(customer, user, at).await {
                Ok(person) => {
                    self.take_away(&person).await?;
                    again += 1;
                }
                // The person was not there yet, or is again: then they are to be erased first.
                Err(ForgetError::Unknown | ForgetError::StillThere) => {}
                Err(ForgetError::Store(error)) => return Err(error),
            }
        }
        Ok(again)
    }
}

/// A revision, or the thing itself, without what is personal; and what a sum is told of a revision.
fn redact(
    item: &Item,
    partition: &str,
    sort: &SortKey,
) -> Result<(Item, Option<Redaction>), StoreError> {
    let fields = Fields(item);
    let written = items::read_written(fields)?;
    let thing = RowKey { partition: partition.to_owned(), sort: sort.to_string() }.to_string();
    let old = written.digest(&thing, written.content);
    let damaged = |_| fields.damaged("content does not fit its kind");
    let (profile, unknown) = content::read::<UserProfile>(written.content).map_err(damaged)?;
    let content = content::write(&UserProfile { email: None, name: None, ..profile }, &unknown);
    let new = written.digest(&thing, &content);
    let mut redacted = item.clone();
    redacted.insert(items::CONTENT.to_owned(), items::text(content));
    redacted.insert(items::DIGEST.to_owned(), items::text(new));
    let is_revision = matches!(fields.sort_key()?, SortKey::Revision(..));
    let redaction = (is_revision && old != new).then(|| Redaction {
        table: TableKind::Accounts.name().to_owned(),
        thing,
        changed_at: written.changed_at,
        old,
        new: Some(new),
    });
    Ok((redacted, redaction))
}
