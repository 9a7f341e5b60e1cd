//! Records, as they are now.

use aws_sdk_dynamodb::types::ReturnValue;
use domain::{Record, RecordId, RecordType, Revision, Version};

use super::reads::{FoundItems, Wanted};
use super::{Lookup, Read, Reader, Session};
use crate::followers::Readers;
use crate::indexed::Indexed;
use crate::items::{self, Fields};
use crate::keys::{self, SortKey};
use crate::notices::Notices;
use crate::transaction::Transaction;
use crate::usage::Growth;
use crate::words::WordChange;
use crate::{Customer, Remember, Store, StoreError, TableKind, WriteError};

/// A record of the customer's as it was at one version.
pub struct RevisionKey(pub RecordId, pub Version);

impl Read for RevisionKey {
    type Found = Lookup<Record>;

    fn ask(&self, items: &mut Wanted<'_>) {
        items.item(TableKind::Records, SortKey::Record(self.0).revision(self.1));
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        items.thing(&SortKey::Record(self.0).revision(self.1))
    }
}

/// A record of the customer's.
pub struct RecordKey(pub RecordId);

impl Read for RecordKey {
    type Found = Lookup<Record>;

    fn ask(&self, items: &mut Wanted<'_>) {
        items.item(TableKind::Records, SortKey::Record(self.0));
    }

    fn find(self, items: &FoundItems) -> Result<Self::Found, StoreError> {
        items.thing(&SortKey::Record(self.0))
    }
}

impl Reader<'_> {
    /// A strongly consistent query of the customer's items whose sort key starts with `prefix`.
    pub(crate) fn query(
        &self,
        prefix: &str,
    ) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        self.store.query_of(&self.customer, prefix)
    }
}

impl Store {
    /// A strongly consistent query of a customer's items whose sort key starts with `prefix`.
    pub(crate) fn query_of(
        &self,
        customer: &Customer,
        prefix: &str,
    ) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        let partition = keys::customer_partition(customer.id());
        self.database
            .dynamo
            .query()
            .table_name(&self.database.tables.records)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_names("#sk", items::SORT)
            .expression_attribute_values(":pk", items::text(partition))
            .expression_attribute_values(":prefix", items::text(prefix))
    }

    /// Creates a record and remembers the answer to the request.
    pub async fn create_record(
        &self,
        session: &Session,
        id: RecordId,
        revision: &Revision<Record>,
        remember: &Remember,
        readers: &Readers,
    ) -> Result<(), WriteError> {
        let (customer, partition) =
            (&session.customer, keys::customer_partition(session.customer.id()));
        let indexed = Indexed::record(customer.id(), id, revision);
        let change = Transaction::new(&self.database)
            .create(customer, &SortKey::Record(id), revision)
            .knowing(readers.lane)
            .list(customer.id(), &[], &indexed.places)
            .notify(customer.id(), Notices::of_record(id, None, revision, &readers.followers))
            .count(customer, id.to_bytes(), Growth::RECORD)
            .remember(TableKind::Records, &partition, &remember.sort_key(session.user), remember);
        self.commit_with_words(change, WordChange::of(None, &indexed)).await
    }

    /// Replaces a record, as it was seen, by its next revision, be it new content or a tombstone, and remembers
    /// the answer where the request may come again.
    pub async fn replace_record(
        &self,
        session: &Session,
        id: RecordId,
        seen: &Revision<Record>,
        revision: &Revision<Record>,
        remember: Option<&Remember>,
        readers: &Readers,
    ) -> Result<(), WriteError> {
        let (customer, sort) = (&session.customer, SortKey::Record(id));
        let indexed = |revision| Indexed::record(customer.id(), id, revision);
        let (from, to) = (indexed(seen), indexed(revision));
        let change = Transaction::new(&self.database)
            .replace(customer, &sort, revision)
            .knowing(readers.lane)
            .list(customer.id(), &from.places, &to.places)
            .notify(
                customer.id(),
                Notices::of_record(id, Some(seen), revision, &readers.followers),
            );
        let change = if revision.deleted {
            change.count(customer, id.to_bytes(), Growth::RECORD_DELETED)
        } else {
            change
        };
        let change = change.remember_where_named(customer, session.user, remember);
        self.commit_with_words(change, WordChange::of(Some(&from), &to)).await
    }

    /// Makes a change; the words that do not fit it are written right after it. Where they cannot be, the change is made
    /// all the same, and the sweep writes them.
    pub(super) async fn commit_with_words(
        &self,
        change: Transaction<'_>,
        words: Option<WordChange>,
    ) -> Result<(), WriteError> {
        let (change, left) = change.words(words);
        change.commit().await.map_err(WriteError::from)?;
        if let Some(left) = left
            && let Err(error) = left.write(&self.database).await
        {
            tracing::warn!(%error, "words of a record are left to the sweep");
        }
        Ok(())
    }

    /// The next number of a type's records. No two are given the same; one may be given to nobody.
    pub async fn next_number(
        &self,
        session: &Session,
        record_type: &RecordType,
    ) -> Result<u64, StoreError> {
        let partition = keys::customer_partition(session.customer.id());
        let answer = self
            .database
            .dynamo
            .update_item()
            .table_name(&self.database.tables.records)
            .set_key(Some(items::key(&partition, &SortKey::Counter(record_type.clone()))))
            .update_expression("ADD #count :one")
            .expression_attribute_names("#count", items::COUNT)
            .expression_attribute_values(":one", items::number(1))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Fields(&answer.attributes.unwrap_or_default()).parse(items::COUNT)
    }
}
