//! Types of records, as a customer defines them.

use domain::{Definition, RecordType, Revision, Version};

use super::reads::{FoundItems, Wanted};
use super::{Ask, Lookup, Read, Reader, Session};
use crate::index::{List, Standing};
use crate::items::{self, Fields};
use crate::keys::{self, SortKey};
use crate::transaction::Transaction;
use crate::{Remember, Store, StoreError, TableKind, WriteError};

/// A type as it is now.
pub struct TypeKey(pub RecordType);

impl Read for TypeKey {
    type Found = Lookup<Definition>;

    fn ask(&self, items: &mut Wanted<'_>) {
        items.item(TableKind::Accounts, SortKey::Type(self.0.clone()));
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        items.thing(&SortKey::Type(self.0))
    }
}

/// A type as it was at one version.
#[derive(Clone)]
pub struct PinnedTypeKey(pub RecordType, pub Version);

impl Read for PinnedTypeKey {
    type Found = Lookup<Definition>;

    fn ask(&self, items: &mut Wanted<'_>) {
        items.item(TableKind::Accounts, SortKey::Type(self.0.clone()).revision(self.1));
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        items.thing(&SortKey::Type(self.0).revision(self.1))
    }
}

/// All types of a customer.
pub struct ListTypes;

impl Ask for ListTypes {
    type Answer = Vec<(RecordType, Revision<Definition>)>;

    async fn ask(self, reader: Reader<'_>) -> Result<Self::Answer, StoreError> {
        let partition = keys::customer_partition(reader.customer.id());
        let accounts = reader.store.database.tables.name(TableKind::Accounts);
        let rows = reader.store.database.rows(accounts, &partition, keys::TYPE_PREFIX).await?;
        let mut types = Vec::new();
        for row in rows {
            let SortKey::Type(name) = Fields(&row).sort_key()? else {
                return Err(Fields(&row).damaged("a type's key"));
            };
            types.push((name, items::read_revision(&row)?));
        }
        Ok(types)
    }
}

/// How many records of a type there are: all, or more than are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeCount {
    pub records: u64,
    /// Whether there are more.
    pub more: bool,
}

/// So many are counted: ten reads of 1 MB.
const COUNTED_MAX: u64 = 100_000;

impl Store {
    /// How many records of a type there are.
    pub async fn count_records(
        &self,
        session: &Session,
        record_type: &RecordType,
    ) -> Result<TypeCount, StoreError> {
        let tables = &self.database.tables;
        let mut counted = TypeCount { records: 0, more: false };
        for standing in Standing::ALL {
            let list = List::Type(record_type.clone(), standing);
            let partition = keys::list_partition(&tables.restored_as, session.customer.id(), &list);
            let mut start = None;
            loop {
                let page = self
                    .database
                    .dynamo
                    .query()
                    .table_name(tables.name(TableKind::Index))
                    .key_condition_expression("#pk = :pk")
                    .expression_attribute_names("#pk", items::PARTITION)
                    .expression_attribute_values(":pk", items::text(&partition))
                    .select(aws_sdk_dynamodb::types::Select::Count)
                    .set_exclusive_start_key(start)
                    .send()
                    .await
                    .map_err(StoreError::unavailable)?;
                counted.records += u64::try_from(page.count).unwrap_or(0);
                start = page.last_evaluated_key;
                if start.is_none() {
                    break;
                }
                if counted.records >= COUNTED_MAX {
                    return Ok(TypeCount { more: true, ..counted });
                }
            }
        }
        Ok(counted)
    }

    /// Defines a type, as a first version or as the next one.
    pub async fn define_type(
        &self,
        session: &Session,
        name: &RecordType,
        revision: &Revision<Definition>,
        remember: Option<&Remember>,
    ) -> Result<(), WriteError> {
        let sort = SortKey::Type(name.clone());
        let change = Transaction::new(&self.database);
        let change = if revision.version == Version::FIRST {
            change.create(&session.customer, &sort, revision)
        } else {
            change.replace(&session.customer, &sort, revision)
        };
        let partition = keys::customer_partition(session.customer.id());
        let change = match remember {
            Some(it) => {
                change.remember(TableKind::Accounts, &partition, &it.sort_key(session.user), it)
            }
            None => change,
        };
        change.commit().await.map_err(WriteError::from)
    }
}
