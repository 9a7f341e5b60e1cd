//! What an operator says of a company.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{CustomerId, Revision, Timestamp, UserId};

use super::Operator;
use crate::items::{self, Fields};
use crate::keys::{self, SortKey};
use crate::transaction::Transaction;
use crate::usage::Usage;
use crate::{Customer, CustomerProfile, Event, EventKind, StoreError, UserProfile, WriteError};

/// Who changes what no user of the company's has changed.
const OPERATOR: UserId = UserId::from_bytes([0; 16]);

/// A customer, as an operator sees it.
#[derive(Clone, Debug)]
pub struct CustomerRow {
    pub id: CustomerId,
    pub profile: Revision<CustomerProfile>,
    /// How many people belong to it.
    pub people: u64,
    /// How many programs have a token that was not revoked.
    pub programs: u64,
    /// What it keeps, as far as it is counted.
    pub used: Usage,
}

impl Operator {
    /// All customers, the oldest first.
    pub async fn customers(&self) -> Result<Vec<CustomerRow>, StoreError> {
        let mut all = BTreeMap::new();
        let mut people = BTreeMap::<CustomerId, [u64; 2]>::new();
        let filter =
            "#sk = :customer OR (begins_with(#sk, :user) AND attribute_not_exists(#deleted))";
        let mut pages = self
            .database
            .dynamo
            .scan()
            .table_name(&self.database.tables.accounts)
            .filter_expression(filter)
            .expression_attribute_names("#sk", items::SORT)
            .expression_attribute_names("#deleted", items::DELETED)
            .expression_attribute_values(":customer", items::text(SortKey::Customer))
            .expression_attribute_values(":user", items::text(keys::USER_PREFIX))
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.next().await {
            let item = item.map_err(StoreError::unavailable)?;
            let id: CustomerId = Fields(&item).parse(items::PARTITION)?;
            if Fields(&item).sort_key()? == SortKey::Customer {
                all.insert(id, items::read_revision::<CustomerProfile>(&item)?);
            } else {
                let user = items::read_revision::<UserProfile>(&item)?;
                let is_program = user.content.machine.is_some();
                people.entry(id).or_default()[usize::from(is_program)] += 1;
            }
        }
        let mut rows = Vec::new();
        for (id, profile) in all {
            let [people, programs] = people.remove(&id).unwrap_or_default();
            let used = self.counted(id).await?;
            rows.push(CustomerRow { id, profile, people, programs, used });
        }
        Ok(rows)
    }

    async fn counted(&self, customer: CustomerId) -> Result<Usage, StoreError> {
        let partition = keys::customer_partition(customer);
        let table = &self.database.tables.records;
        let parts = self.database.rows(table, &partition, keys::USAGE_PREFIX).await?;
        let of = |name: &'static str| {
            let counts = parts.iter().map(|part| Fields(part).parse::<i64>(name).unwrap_or(0));
            u64::try_from(counts.sum::<i64>()).unwrap_or(0)
        };
        let (bytes, versions) = (of(items::BYTES), of(items::VERSIONS));
        Ok(Usage { bytes, versions, records: of(items::RECORDS) })
    }

    /// Suspends a customer, or lets its people work again, and says why. `None`: there is no such customer.
    pub async fn suspend(
        &self,
        customer: CustomerId,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<CustomerProfile>, StoreError> {
        let Some(current) = self.profile(customer).await? else { return Ok(None) };
        let suspended = reason.map(str::to_owned);
        let content = CustomerProfile { suspended, ..current.content.clone() };
        let changed = current.changed(content.clone(), OPERATOR, now);
        let kind = if reason.is_some() { EventKind::Suspended } else { EventKind::Resumed };
        let partition = keys::customer_partition(customer);
        // Nobody starts a session from here on; those that there are end afterwards. Taken back, it is written over,
        // so that whoever may do this may delete nothing.
        let mut item = items::key(&partition, &SortKey::Suspended);
        item.insert(items::SUSPENDED.to_owned(), AttributeValue::Bool(reason.is_some()));
        self.database.put(&self.database.tables.accounts, item).await?;
        let change = Transaction::new(&self.database)
            .replace(&Customer::new(customer), &SortKey::Customer, &changed)
            .tell(&Customer::new(customer), &Event::new(kind, None), now)
            .commit();
        match change.await.map_err(WriteError::from) {
            Ok(()) => {}
            Err(WriteError::Store(error)) => return Err(error),
            Err(_) => return Err(StoreError::Busy),
        }
        if reason.is_some() {
            let table = &self.database.tables.sessions;
            for item in self.database.rows(table, &partition, keys::SESSION_PREFIX).await? {
                let key = Fields(&item).key()?.item();
                self.database.delete(table, key).await?;
            }
        }
        Ok(Some(content))
    }

    async fn profile(
        &self,
        customer: CustomerId,
    ) -> Result<Option<Revision<CustomerProfile>>, StoreError> {
        let key = items::key(&keys::customer_partition(customer), &SortKey::Customer);
        let item = self.database.item(&self.database.tables.accounts, key).await?;
        item.as_ref().map(items::read_revision).transpose()
    }

    /// Sets what a customer may keep, by what that was. What it was; outer `None`: there is no such customer.
    pub async fn set_quota(
        &self,
        customer: CustomerId,
        now: Timestamp,
        set: impl Fn(Option<Usage>) -> Usage,
    ) -> Result<Option<Option<Usage>>, StoreError> {
        let Some(current) = self.profile(customer).await? else { return Ok(None) };
        let before = current.content.quota;
        let content = CustomerProfile { quota: Some(set(before)), ..current.content.clone() };
        let changed = current.changed(content, OPERATOR, now);
        let change = Transaction::new(&self.database)
            .replace(&Customer::new(customer), &SortKey::Customer, &changed)
            .tell(&Customer::new(customer), &Event::new(EventKind::QuotaChanged, None), now)
            .commit();
        match change.await.map_err(WriteError::from) {
            Ok(()) => Ok(Some(before)),
            Err(WriteError::Store(error)) => Err(error),
            Err(_) => Err(StoreError::Busy),
        }
    }
}
