//! Appendices and their versions. A version is reserved as pending, and becomes stored when the
//! bucket says that exactly the declared bytes have arrived.

use domain::{
    Appendix, AppendixId, AppendixVersion, RecordId, Revision, UploadState, VersionNumber,
};

use super::reads::{FoundItems, Wanted};
use super::{Ask, Lookup, Read, Reader, Session};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::transaction::Transaction;
use crate::usage::Growth;
use crate::{Announced, Customer, ObjectKey, Remember, Store, StoreError, TableKind, WriteError};

/// An appendix of the customer's, without its versions.
pub struct AppendixKey {
    pub record: RecordId,
    pub appendix: AppendixId,
}

impl Read for AppendixKey {
    type Found = Lookup<Appendix>;

    fn ask(&self, items: &mut Wanted<'_>) {
        items.item(TableKind::Records, SortKey::Appendix(self.record, self.appendix));
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        items.thing(&SortKey::Appendix(self.record, self.appendix))
    }
}

/// An appendix and all of its versions, the first first.
#[derive(Debug)]
pub struct AppendixHistory {
    pub id: AppendixId,
    pub appendix: Revision<Appendix>,
    pub versions: Vec<(VersionNumber, Revision<AppendixVersion>)>,
}

/// The appendices of a record with all their versions, the oldest first.
pub struct ListAppendices {
    pub record: RecordId,
    /// Only appendices with a higher id than this.
    pub after: Option<AppendixId>,
    /// How many appendices and versions to read; more than one appendix can have of them, so that
    /// every page holds at least one appendix whole.
    pub items: u16,
}

impl ListAppendices {
    /// About 300 KB of an answer.
    pub const ITEMS: u16 = 1_000;
}

const _: () = assert!(ListAppendices::ITEMS as u32 > domain::appendix::APPENDIX_VERSIONS_MAX + 1);

#[derive(Debug)]
pub struct AppendixPage {
    pub appendices: Vec<AppendixHistory>,
    /// Where the next page starts; `None` at the end.
    pub next_after: Option<AppendixId>,
}

impl Ask for ListAppendices {
    type Answer = AppendixPage;

    async fn ask(self, reader: Reader<'_>) -> Result<AppendixPage, StoreError> {
        let partition = keys::customer_partition(reader.customer.id());
        // The last possible version of the appendix before: everything of it sorts lower.
        let start = self.after.map(|appendix| {
            let last = VersionNumber::try_from(domain::appendix::APPENDIX_VERSIONS_MAX)
                .expect("the largest number is a number");
            items::key(&partition, &SortKey::AppendixVersion(self.record, appendix, last))
        });
        let answer = reader
            .query(&keys::appendices_prefix(self.record))
            .limit(i32::from(self.items))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let more = answer.last_evaluated_key.is_some();
        let mut appendices = group(&answer.items.unwrap_or_default())?;
        if more && appendices.len() > 1 {
            // The last one may have been cut off: it starts the next page.
            appendices.pop();
        }
        let next_after = appendices.last().map(|last| last.id).filter(|_| more);
        appendices.retain(|history| !history.appendix.deleted);
        Ok(AppendixPage { appendices, next_after })
    }
}

/// One appendix with all its versions; `None` where there is none. A deleted one is a tombstone.
pub struct ReadAppendix {
    pub record: RecordId,
    pub appendix: AppendixId,
}

impl Ask for ReadAppendix {
    type Answer = Option<AppendixHistory>;

    async fn ask(self, reader: Reader<'_>) -> Result<Option<AppendixHistory>, StoreError> {
        let answer = reader
            .query(&keys::appendix_prefix(self.record, self.appendix))
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Ok(group(&answer.items.unwrap_or_default())?.pop())
    }
}

/// Puts versions with their appendix, which sorts right before them.
fn group(items: &[Item]) -> Result<Vec<AppendixHistory>, StoreError> {
    let mut appendices: Vec<AppendixHistory> = Vec::new();
    for item in items {
        let fields = Fields(item);
        match (fields.sort_key()?, appendices.last_mut()) {
            (SortKey::Appendix(_, id), _) => appendices.push(AppendixHistory {
                id,
                appendix: items::read_revision(item)?,
                versions: Vec::new(),
            }),
            (SortKey::AppendixVersion(_, of, number), Some(last)) if last.id == of => {
                last.versions.push((number, items::read_revision(item)?));
            }
            // A restore to a moment can have cut a reservation in two; the rest is shown all the same.
            (SortKey::AppendixVersion(..), _) => {
                let error = fields.damaged("a version without its appendix");
                tracing::error!(cause = &error as &dyn std::error::Error, "left out");
            }
            _ => return Err(fields.damaged("an appendix's key")),
        }
    }
    Ok(appendices)
}

/// Whether a version is the first of a new appendix, or the next of one that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    New,
    Next,
}

impl Store {
    /// Reserves the version that `appendix` counts as its last, and remembers the answer.
    /// `Stale` with no version: the record or the appendix is gone.
    pub async fn reserve_version(
        &self,
        session: &Session,
        reservation: Reservation,
        key: &ObjectKey,
        appendix: &Revision<Appendix>,
        version: &Revision<AppendixVersion>,
        remember: &Remember,
    ) -> Result<(), WriteError> {
        let customer = &session.customer;
        let partition = keys::customer_partition(customer.id());
        let of = SortKey::Appendix(key.record, key.appendix);
        let sort = SortKey::AppendixVersion(key.record, key.appendix, key.number);
        let transaction = Transaction::new(&self.database);
        let transaction = match reservation {
            Reservation::New => transaction.create(customer, &of, appendix),
            Reservation::Next => transaction.replace(customer, &of, appendix),
        };
        transaction
            .require(customer, &SortKey::Record(key.record))
            .create(customer, &sort, version)
            .count(customer, key.appendix.to_bytes(), Growth::version(version.content.bytes.get()))
            .remember(TableKind::Records, &partition, &remember.sort_key(session.user), remember)
            .commit()
            .await
            .map_err(WriteError::from)
    }

    /// Replaces an appendix by its tombstone. Its versions and their bytes stay.
    pub async fn delete_appendix(
        &self,
        session: &Session,
        record: RecordId,
        id: AppendixId,
        tombstone: &Revision<Appendix>,
        remember: Option<&Remember>,
    ) -> Result<(), WriteError> {
        let sort = SortKey::Appendix(record, id);
        let change = Transaction::new(&self.database).replace(&session.customer, &sort, tombstone);
        let change = change.remember_where_named(&session.customer, session.user, remember);
        change.commit().await.map_err(WriteError::from)
    }

    /// The version whose bytes belong at `key`, if one was reserved.
    pub async fn appendix_version(
        &self,
        Announced(key): &Announced,
    ) -> Result<Option<Revision<AppendixVersion>>, StoreError> {
        let partition = keys::customer_partition(key.customer);
        let sort = SortKey::AppendixVersion(key.record, key.appendix, key.number);
        let key = items::key(&partition, &sort);
        let item = self.database.item(&self.database.tables.records, key).await?;
        item.as_ref().map(items::read_revision).transpose()
    }

    /// Whether the appendix was deleted that the object at `key` would be a version of.
    pub async fn appendix_is_deleted(
        &self,
        Announced(key): &Announced,
    ) -> Result<bool, StoreError> {
        let partition = keys::customer_partition(key.customer);
        let key = items::key(&partition, &SortKey::Appendix(key.record, key.appendix));
        let item = self.database.item(&self.database.tables.records, key).await?;
        Ok(item.is_some_and(|item| item.contains_key(items::DELETED)))
    }

    /// Notes that the bytes of `pending` are in the bucket. `Stale`: someone else noted it first.
    pub async fn mark_stored(
        &self,
        Announced(key): &Announced,
        pending: &Revision<AppendixVersion>,
        now: domain::Timestamp,
    ) -> Result<(), WriteError> {
        let content = AppendixVersion { state: UploadState::Stored, ..pending.content.clone() };
        let stored = pending.changed(content, pending.created_by, now);
        let sort = SortKey::AppendixVersion(key.record, key.appendix, key.number);
        let customer = Customer::new(key.customer);
        let change = Transaction::new(&self.database).replace(&customer, &sort, &stored);
        change.commit().await.map_err(WriteError::from)
    }
}
