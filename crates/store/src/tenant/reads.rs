//! What is read together with a session, in the same round trip: each kind of thing says which items it
//! takes and what it makes of them.

use std::collections::HashMap;

use domain::{CustomerId, Revision, Timestamp, UserId};
use serde::de::DeserializeOwned;

use super::Session;
use crate::batch::Batch;
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::tables::Database;
use crate::{Customer, Missing, Store, StoreError, TableKind};

/// Something that can be read together with the session: a key of one thing, or a tuple of some.
pub trait Read: Send {
    /// What is found there.
    type Found: Send;

    /// Names the items that it takes.
    fn ask(&self, items: &mut Wanted<'_>);

    /// Makes something of those that are there.
    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError>;
}

/// What is at a key: a thing, what is left of one that was deleted, or nothing.
#[derive(Clone, Debug)]
pub struct Lookup<T>(pub(crate) Option<Revision<T>>);

impl<T> Lookup<T> {
    /// The thing, unless it was deleted.
    pub fn existing(self) -> Result<Revision<T>, Missing> {
        self.0.filter(|it| !it.deleted).ok_or(Missing)
    }

    /// The newest revision, which is a tombstone where the thing was deleted.
    pub fn newest(self) -> Result<Revision<T>, Missing> {
        self.0.ok_or(Missing)
    }
}

/// The items that are asked for, of one customer.
pub struct Wanted<'a> {
    database: &'a Database,
    customer: CustomerId,
    partition: String,
    /// Who asks, by what the token says.
    user: UserId,
    keys: Vec<SortKey>,
    batch: Batch,
}

impl<'a> Wanted<'a> {
    pub(crate) fn new(database: &'a Database, customer: CustomerId, user: UserId) -> Self {
        let partition = keys::customer_partition(customer);
        let (keys, batch) = (Vec::new(), Batch::default());
        Self { database, customer, partition, user, keys, batch }
    }

    pub(crate) const fn user(&self) -> UserId {
        self.user
    }

    /// One more item; one that is asked for twice is read once. It is found again by its sort key:
    /// nothing asks for the same one in two tables.
    pub(crate) fn item(&mut self, table: TableKind, sort: SortKey) {
        let partition = self.partition.clone();
        self.item_of(table, &partition, sort);
    }

    /// The same of something that is not in the customer's own partition.
    fn item_of(&mut self, table: TableKind, partition: &str, sort: SortKey) {
        if !self.keys.contains(&sort) {
            self.batch.add(self.database.tables.name(table), partition, &sort);
            self.keys.push(sort);
        }
    }

    /// Where a lane of the customer's feed ends.
    pub(crate) fn lane(&mut self, lane: u8) {
        let restored_as = &self.database.tables.restored_as;
        let partition = keys::lane_partition(restored_as, self.customer, lane);
        self.item_of(TableKind::Index, &partition, SortKey::Lane(lane));
    }

    /// Whether whoever asks wants a mail each day.
    pub(crate) fn daily(&mut self) {
        let partition = keys::daily_partition(keys::daily_number(self.user));
        let sort = SortKey::Daily(self.customer, self.user);
        self.item_of(TableKind::Accounts, &partition, sort);
    }

    pub(crate) async fn read(self, now: Timestamp) -> Result<FoundItems, StoreError> {
        let mut found = HashMap::new();
        for item in self.batch.read(&self.database.dynamo).await? {
            found.insert(Fields(&item).text(items::SORT)?.to_owned(), item);
        }
        Ok(FoundItems { items: found, customer: self.customer, user: self.user, now })
    }
}

/// Those of the items asked for that are there.
pub struct FoundItems {
    items: HashMap<String, Item>,
    customer: CustomerId,
    user: UserId,
    now: Timestamp,
}

impl FoundItems {
    pub(crate) const fn user(&self) -> UserId {
        self.user
    }

    pub(crate) const fn customer(&self) -> CustomerId {
        self.customer
    }

    /// The time of the request.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn item(&self, sort: &SortKey) -> Option<&Item> {
        self.items.get(&sort.to_string())
    }

    pub(crate) fn thing<T: DeserializeOwned>(
        &self,
        sort: &SortKey,
    ) -> Result<Lookup<T>, StoreError> {
        self.item(sort).map(items::read_revision).transpose().map(Lookup)
    }
}

impl Store {
    /// Reads something more of the customer's, where only what was read with the session says what.
    pub async fn read<R: Read>(
        &self,
        session: &Session,
        wanted: R,
    ) -> Result<R::Found, StoreError> {
        let mut items = Wanted::new(&self.database, session.customer.id(), session.user);
        wanted.ask(&mut items);
        // Nothing that is read like this expires.
        wanted.find(&items.read(session.created_at).await?)
    }
}

/// Reads on behalf of a session that is still being verified. It can only read, and what it reads
/// is dropped unless the session turns out to be valid.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    pub(crate) store: &'a Store,
    pub(crate) customer: Customer,
    /// Who asks, by what the token says.
    pub(crate) user: UserId,
}

/// A question that can be asked of a customer's data while the session is being verified.
pub trait Ask: Send {
    type Answer: Send;

    fn ask(
        self,
        reader: Reader<'_>,
    ) -> impl Future<Output = Result<Self::Answer, StoreError>> + Send;
}

/// No question: only the session and what is wanted with it.
pub struct Nothing;

impl Ask for Nothing {
    type Answer = ();

    async fn ask(self, _: Reader<'_>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Only the session.
impl Read for () {
    type Found = ();

    fn ask(&self, _: &mut Wanted<'_>) {}

    fn find(self, _: &FoundItems) -> Result<(), StoreError> {
        Ok(())
    }
}

impl<R: Read> Read for Option<R> {
    type Found = Option<R::Found>;

    fn ask(&self, items: &mut Wanted<'_>) {
        self.iter().for_each(|wanted| wanted.ask(items));
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        self.map(|wanted| wanted.find(items)).transpose()
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+))+) => {$(
        impl<$($name: Read),+> Read for ($($name,)+) {
            type Found = ($($name::Found,)+);

            fn ask(&self, items: &mut Wanted<'_>) {
                $(self.$index.ask(items);)+
            }

            fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
                Ok(($(self.$index.find(items)?,)+))
            }
        }
    )+};
}

tuples! {
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
}
