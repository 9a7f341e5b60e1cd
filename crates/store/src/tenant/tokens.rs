//! Programs that show a token: each is a user of the customer's, without a login.

use std::collections::HashMap;

use domain::{ApiToken, Revision, Timestamp, UserId};

use super::reads::{FoundItems, Wanted};
use super::{Ask, Opened, Read, Reader, Session};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::tenant::sessions::{USE_NOTED_EVERY, USED_AT};
use crate::transaction::{Step, Transaction};
use crate::{
    Customer, Event, EventKind, Machine, Remember, Store, StoreError, TableKind, UserProfile,
    WriteError,
};

/// A program of a customer's, or one whose token was revoked.
#[derive(Clone, Debug)]
pub struct ListedMachine {
    pub user: UserId,
    pub profile: Revision<UserProfile>,
    pub machine: Machine,
    /// Whether its token was neither revoked nor ended by a restore.
    pub is_good: bool,
    /// To the hour.
    pub used_at: Option<Timestamp>,
}

/// All programs of the customer, the newest first.
pub struct ListMachines;

impl Ask for ListMachines {
    type Answer = Vec<ListedMachine>;

    async fn ask(self, reader: Reader<'_>) -> Result<Self::Answer, StoreError> {
        let store = reader.store;
        let users = store.accounts_of(&reader.customer, keys::USER_PREFIX).await?;
        let mut machines = Vec::new();
        for item in users.iter().rev() {
            let SortKey::User(user) = Fields(item).sort_key()? else { continue };
            let profile = items::read_revision::<UserProfile>(item)?;
            if let Some(machine) = profile.content.machine.clone() {
                machines.push(ListedMachine {
                    user,
                    profile,
                    machine,
                    is_good: false,
                    used_at: None,
                });
            }
        }
        let good = store.tokens_of(&reader.customer, &machines).await?;
        for machine in &mut machines {
            machine.is_good = !machine.profile.deleted && good.contains_key(&machine.user);
            machine.used_at = good.get(&machine.user).copied().flatten();
        }
        Ok(machines)
    }
}

/// Whose token it is. No session has this attribute, and a token has none of a session's: neither is made of the other.
const TOKEN_OF: &str = "token_of";

fn token_key(machine: UserId, token_hash: &str) -> SortKey {
    SortKey::Token(machine, token_hash.to_owned())
}

/// That a program's token is good, until it expires.
fn token_item(customer: &Customer, machine: UserId, of: &Machine) -> Item {
    let partition = keys::customer_partition(customer.id());
    let mut item = items::key(&partition, &token_key(machine, &of.token_hash));
    item.insert(TOKEN_OF.to_owned(), items::text(machine));
    item.insert(items::EXPIRES_AT.to_owned(), items::number(of.expires_at.seconds()));
    item
}

impl Store {
    /// Those whose token is good, and when each was used last.
    async fn tokens_of(
        &self,
        customer: &Customer,
        machines: &[ListedMachine],
    ) -> Result<HashMap<UserId, Option<Timestamp>>, StoreError> {
        let partition = keys::customer_partition(customer.id());
        let mut good = HashMap::new();
        for some in machines.chunks(crate::batch::Batch::KEYS_MAX) {
            let mut batch = crate::batch::Batch::default();
            for it in some {
                let key = token_key(it.user, &it.machine.token_hash);
                batch.add(&self.database.tables.sessions, &partition, &key);
            }
            for item in batch.read(&self.database.dynamo).await? {
                let fields = Fields(&item);
                if let SortKey::Token(user, _) = fields.sort_key()? {
                    good.insert(user, fields.time(USED_AT).ok());
                }
            }
        }
        Ok(good)
    }

    /// Verifies a token, and reads what is wanted with it, in one round trip. `None`: there is no such token, or it has
    /// ended; or nobody works at the customer for now.
    pub(super) async fn verify_token<R: Read>(
        &self,
        token: &ApiToken,
        now: Timestamp,
        wanted: R,
    ) -> Result<Option<Opened<R::Found>>, StoreError> {
        let partition = keys::customer_partition(token.customer);
        let hash = token.hash().to_string();
        let (user_key, token_key) = (SortKey::User(token.user), token_key(token.user, &hash));
        let mut items = Wanted::new(&self.database, token.customer, token.user);
        items.item(TableKind::Accounts, user_key.clone());
        items.item(TableKind::Accounts, SortKey::Suspended);
        items.item(TableKind::Sessions, token_key.clone());
        wanted.ask(&mut items);
        let found = items.read(now).await?;
        let Ok(user) = found.thing::<UserProfile>(&user_key)?.existing() else { return Ok(None) };
        let Some(machine) = &user.content.machine else { return Ok(None) };
        // Many functions may write users, and few may write this: a user alone lets nobody in.
        let Some(good) = found.item(&token_key).filter(|item| is_of(item, token.user)) else {
            return Ok(None);
        };
        if machine.token_hash != hash || machine.expires_at <= now || is_suspended(&found) {
            return Ok(None);
        }
        let used_at = Fields(good).time(USED_AT).ok();
        if used_at.is_none_or(|at| now.since(at) >= USE_NOTED_EVERY) {
            self.note_use(&partition, &token_key, now).await;
        }
        let session = Session::of_machine(
            Customer::new(token.customer),
            token.user,
            user.content.role,
            machine,
            user.created_at,
        );
        Ok(Some(Opened { session, user, found: wanted.find(&found)? }))
    }

    /// Lets a program in.
    pub async fn create_machine(
        &self,
        session: &Session,
        machine: UserId,
        (revision, of): (&Revision<UserProfile>, &Machine),
        remember: &Remember,
    ) -> Result<(), WriteError> {
        let partition = keys::customer_partition(session.customer.id());
        let event = Event::new(EventKind::TokenMade, Some(session.user)).about(machine);
        Transaction::new(&self.database)
            .create(&session.customer, &SortKey::User(machine), revision)
            .put_new(Step::Create, TableKind::Sessions, token_item(&session.customer, machine, of))
            .tell(&session.customer, &event, revision.changed_at)
            .remember(TableKind::Accounts, &partition, &remember.sort_key(session.user), remember)
            .commit()
            .await
            .map_err(WriteError::from)
    }

    /// Lets a program do nothing any more.
    pub async fn revoke_machine(
        &self,
        session: &Session,
        machine: UserId,
        tombstone: &Revision<UserProfile>,
    ) -> Result<(), WriteError> {
        let event = Event::new(EventKind::TokenRevoked, Some(session.user)).about(machine);
        Transaction::new(&self.database)
            .replace(&session.customer, &SortKey::User(machine), tombstone)
            .tell(&session.customer, &event, tombstone.changed_at)
            .commit()
            .await
            .map_err(WriteError::from)
    }
}

fn is_of(item: &Item, machine: UserId) -> bool {
    Fields(item).parse::<UserId>(TOKEN_OF).is_ok_and(|of| of == machine)
}

fn is_suspended(found: &FoundItems) -> bool {
    let item = found.item(&SortKey::Suspended);
    item.is_some_and(|item| {
        item.get(items::SUSPENDED).and_then(|it| it.as_bool().ok()) == Some(&true)
    })
}
