//! Customers and their users.

use std::collections::BTreeSet;

use domain::{
    CompanyName, CustomerId, Definition, LoginId, RecordType, Revision, ShortName, SignInName,
    UserId,
};
use passwords::StoredHash;

use super::logins::{login_item, sign_in_item};
use super::reads::{FoundItems, Wanted};
use super::{Login, Lookup, Membership, Read};
use crate::batch::Batch;
use crate::cards;
use crate::items;
use crate::keys::{self, SortKey};
use crate::transaction::{Step, Transaction};
use crate::{
    Customer, CustomerProfile, Event, EventKind, PersonCard, Remember, Store, StoreError,
    TableKind, UserProfile, WriteError, begun_with,
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
    pub card: PersonCard,
    pub password: StoredHash,
    /// What its records look like at first.
    pub types: Vec<(RecordType, Definition)>,
}

impl Store {
    /// Creates a customer, its owner and the owner's login, all or none. `Exists`: somebody logs in with this name,
    /// or a company has the short name.
    pub async fn sign_up(&self, sign_up: &SignUp, remember: &Remember) -> Result<(), WriteError> {
        let SignUp { customer_id, owner_id, owner, card, .. } = sign_up;
        let (customer, name) = (Customer::new(*customer_id), &card.sign_in);
        let login = login_item(&customer, *owner_id, &sign_up.password);
        let mut change = self
            .begin_login(name, begun_with(*owner_id))
            .put_new(Step::Login, TableKind::Logins, login)
            .create(&customer, &SortKey::Customer, &sign_up.customer)
            .create(&customer, &SortKey::User(*owner_id), owner)
            .put_card(&customer, *owner_id, card)
            .tell(
                &customer,
                &Event::new(EventKind::CompanySignedUp, Some(*owner_id)),
                owner.changed_at,
            );
        for (name, definition) in &sign_up.types {
            let revision = Revision::first(definition, *owner_id, owner.changed_at);
            change = change.create(&customer, &SortKey::Type(name.clone()), &revision);
        }
        if let Some(short_name) = &sign_up.customer.content.short_name {
            change = change.take_short_name(&customer, short_name);
        }
        change
            .without_readers()
            .remember(
                TableKind::Accounts,
                &keys::sign_up_partition(name),
                &SortKey::SignUp(remember.key.clone()),
                remember,
            )
            .commit()
            .await
            .map_err(WriteError::from)
    }

    /// Begins a change in which somebody gets a name to log in with, that nobody has.
    pub(super) fn begin_login(&self, name: &SignInName, login: LoginId) -> Transaction<'_> {
        let earlier = items::key(&keys::sign_in_partition(name), &SortKey::Login);
        Transaction::new(&self.database)
            .put_new(Step::Login, TableKind::Logins, sign_in_item(name, login))
            .forbid(Step::Login, TableKind::Logins, earlier)
    }
}

/// The card of a person at the customer's; or what an earlier release kept of it.
pub struct CardKey(pub UserId);

impl Read for CardKey {
    type Found = Option<PersonCard>;

    fn ask(&self, items: &mut Wanted<'_>) {
        items.item(TableKind::Accounts, SortKey::Card(self.0));
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        items.item(&SortKey::Card(self.0)).map(cards::read_card).transpose()
    }
}

/// The card of whoever asks.
pub struct OwnCard;

impl Read for OwnCard {
    type Found = Option<PersonCard>;

    fn ask(&self, items: &mut Wanted<'_>) {
        CardKey(items.user()).ask(items);
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        CardKey(items.user()).find(items)
    }
}

impl Transaction<'_> {
    pub(super) fn put_card(self, customer: &Customer, user: UserId, card: &PersonCard) -> Self {
        let partition = keys::customer_partition(customer.id());
        let mut item = items::key(&partition, &SortKey::Card(user));
        item.insert(cards::NAME.to_owned(), items::text(&card.name));
        item.insert(cards::SIGN_IN.to_owned(), items::text(card.sign_in.as_str()));
        self.put_new(Step::Create, TableKind::Accounts, item)
    }

    pub(super) fn take_short_name(self, customer: &Customer, name: &ShortName) -> Self {
        let mut item = items::key(&keys::short_name_partition(name), &SortKey::ShortName);
        item.insert(items::CUSTOMER_ID.to_owned(), items::text(customer.id()));
        self.put_new(Step::ShortName, TableKind::Accounts, item)
    }
}

/// A company that somebody belongs to.
#[derive(Clone, Debug)]
pub struct Company {
    pub member: Membership,
    pub name: CompanyName,
}

impl Company {
    pub const fn id(&self) -> CustomerId {
        self.member.customer_id()
    }
}

impl Store {
    /// The companies that a person belongs to still. Who has come back to one is another user there.
    pub async fn companies(&self, login: &Login) -> Result<Vec<Company>, StoreError> {
        let mut companies = Vec::new();
        for some in login.memberships.chunks(Batch::KEYS_MAX / 2) {
            let mut batch = Batch::default();
            // Each is asked for once: somebody may have been at a company more than once.
            let customers: BTreeSet<String> =
                some.iter().map(|it| keys::customer_partition(it.customer.id())).collect();
            for partition in &customers {
                batch.add(&self.database.tables.accounts, partition, &SortKey::Customer);
            }
            for it in some {
                let partition = keys::customer_partition(it.customer.id());
                batch.add(&self.database.tables.accounts, &partition, &SortKey::User(it.user));
            }
            let found = batch.read(&self.database.dynamo).await?;
            for it in some {
                let partition = keys::customer_partition(it.customer.id());
                let at = |sort: SortKey| {
                    let key = items::key(&partition, &sort);
                    found
                        .iter()
                        .find(|item| key.iter().all(|(name, value)| item.get(name) == Some(value)))
                };
                let (Some(company), Some(user)) =
                    (at(SortKey::Customer), at(SortKey::User(it.user)))
                else {
                    continue;
                };
                if !user.contains_key(items::DELETED) {
                    let profile = items::read_revision::<CustomerProfile>(company)?;
                    companies.push(Company { member: *it, name: profile.content.name });
                }
            }
        }
        Ok(companies)
    }
}

impl Store {
    /// Replaces what is known of a customer. `ShortNameTaken`: another one has the short name that it gets.
    pub async fn change_customer(
        &self,
        customer: &Customer,
        seen: &Revision<CustomerProfile>,
        changed: &Revision<CustomerProfile>,
    ) -> Result<(), WriteError> {
        let mut change =
            Transaction::new(&self.database).replace(customer, &SortKey::Customer, changed).tell(
                customer,
                &Event::new(EventKind::CompanyChanged, Some(changed.changed_by)),
                changed.changed_at,
            );
        if let (None, Some(name)) = (&seen.content.short_name, &changed.content.short_name) {
            change = change.take_short_name(customer, name);
        }
        change.commit().await.map_err(WriteError::from)
    }
}
