//! The people of a customer: who they are, what each may do, and who goes.

use std::collections::HashMap;

use domain::{Revision, Role, UserId, Version};

use super::reads::{FoundItems, Wanted};
use super::{Ask, Lookup, Read, Reader, Session};
use crate::cards::read_card;
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::transaction::Transaction;
use crate::{
    Customer, Event, EventKind, PersonCard, Remember, Store, StoreError, TableKind, UserProfile,
    WriteError,
};

/// Somebody of a customer's, or somebody who was.
#[derive(Clone, Debug)]
pub struct Person {
    pub user: UserId,
    pub profile: Revision<UserProfile>,
    pub card: Option<PersonCard>,
}

/// All people of the customer, those too who are gone.
pub struct ListPeople;

impl Ask for ListPeople {
    type Answer = Vec<Person>;

    async fn ask(self, reader: Reader<'_>) -> Result<Vec<Person>, StoreError> {
        reader.store.people(&reader.customer).await
    }
}

/// One user of the customer's.
pub struct UserKey(pub UserId);

/// Those of some users who belong to the customer.
pub struct Users(pub Vec<UserId>);

impl Users {
    /// Of more than anything has, none is looked for.
    pub fn at_most(mut users: Vec<UserId>) -> Self {
        users.truncate(domain::comment::MENTIONS_MAX);
        Self(users)
    }
}

impl Read for Users {
    type Found = Vec<UserId>;

    fn ask(&self, items: &mut Wanted<'_>) {
        self.0.iter().for_each(|who| items.item(TableKind::Accounts, SortKey::User(*who)));
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        let belongs = |who: &UserId| {
            let user = items.item(&SortKey::User(*who));
            user.is_some_and(|user| !user.contains_key(items::DELETED))
        };
        Ok(self.0.into_iter().filter(belongs).collect())
    }
}

impl Read for UserKey {
    type Found = Lookup<UserProfile>;

    fn ask(&self, items: &mut Wanted<'_>) {
        items.item(TableKind::Accounts, SortKey::User(self.0));
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        items.thing(&SortKey::User(self.0))
    }
}

/// Why a person was not changed.
#[derive(Debug)]
pub enum PersonRefusal {
    /// Nobody would be left who stands for the customer.
    LastOwner,
    Write(WriteError),
}

/// Somebody, of the item of the user. Programs are no people.
pub(super) fn person(
    user: UserId,
    item: &Item,
    card: Option<PersonCard>,
) -> Result<Option<Person>, StoreError> {
    let profile = items::read_revision::<UserProfile>(item)?;
    let card = card.or_else(|| profile.content.earlier_card());
    Ok(profile.content.machine.is_none().then_some(Person { user, profile, card }))
}

impl Store {
    async fn people(&self, customer: &Customer) -> Result<Vec<Person>, StoreError> {
        let rows = async |prefix| self.accounts_of(customer, prefix).await;
        let (users, cards) = tokio::try_join!(rows(keys::USER_PREFIX), rows(keys::CARD_PREFIX))?;
        let mut by_user = HashMap::new();
        for card in &cards {
            if let SortKey::Card(user) = Fields(card).sort_key()? {
                by_user.insert(user, read_card(card)?);
            }
        }
        let mut people = Vec::new();
        for item in &users {
            let SortKey::User(user) = Fields(item).sort_key()? else { continue };
            people.extend(person(user, item, by_user.remove(&user))?);
        }
        Ok(people)
    }

    pub(super) async fn accounts_of(
        &self,
        customer: &Customer,
        prefix: &str,
    ) -> Result<Vec<Item>, StoreError> {
        let partition = keys::customer_partition(customer.id());
        self.database.rows(&self.database.tables.accounts, &partition, prefix).await
    }

    /// Replaces a user, as they were seen, by the next revision: another role, or a tombstone. A customer keeps an
    /// owner: of two who go at the same time, one stays.
    pub async fn change_person(
        &self,
        session: &Session,
        user: UserId,
        seen: &Revision<UserProfile>,
        changed: &Revision<UserProfile>,
        remember: Option<&Remember>,
    ) -> Result<(), PersonRefusal> {
        let customer = &session.customer;
        let mut change =
            Transaction::new(&self.database).replace(customer, &SortKey::User(user), changed);
        let stays = !changed.deleted && changed.content.role == Role::Owner;
        if seen.content.role == Role::Owner && !stays {
            let people = self.people(customer).await.map_err(WriteError::Store)?;
            let other = people.iter().find(|it| it.user != user && it.is_owner());
            let other = other.ok_or(PersonRefusal::LastOwner)?;
            let version: Version = other.profile.version;
            change = change.require_version(customer, &SortKey::User(other.user), version);
        }
        let kind = if changed.deleted { EventKind::PersonRemoved } else { EventKind::RoleChanged };
        let event = Event::new(kind, Some(session.user)).about(user);
        change = change.tell(customer, &event, changed.changed_at);
        let partition = keys::customer_partition(customer.id());
        if let Some(remember) = remember {
            let sort = remember.sort_key(session.user);
            change = change.remember(TableKind::Accounts, &partition, &sort, remember);
        }
        change.commit().await.map_err(|refusal| WriteError::from(refusal).into())
    }
}

impl Person {
    fn is_owner(&self) -> bool {
        !self.profile.deleted && self.profile.content.role == Role::Owner
    }
}

impl From<WriteError> for PersonRefusal {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}
