//! What an operator says of a company.

use domain::{CustomerId, Timestamp, UserId};

use super::Operator;
use crate::items;
use crate::keys::{self, SortKey};
use crate::transaction::Transaction;
use crate::usage::Usage;
use crate::{Customer, CustomerProfile, StoreError, WriteError};

/// Who changes what no user of the company's has changed.
const OPERATOR: UserId = UserId::from_bytes([0; 16]);

impl Operator {
    /// Sets what a customer may keep, by what that was. What it was; outer `None`: there is no such customer.
    pub async fn set_quota(
        &self,
        customer: CustomerId,
        now: Timestamp,
        set: impl Fn(Option<Usage>) -> Usage,
    ) -> Result<Option<Option<Usage>>, StoreError> {
        let key = items::key(&keys::customer_partition(customer), &SortKey::Customer);
        let Some(item) = self.database.item(&self.database.tables.accounts, key).await? else {
            return Ok(None);
        };
        let current = items::read_revision::<CustomerProfile>(&item)?;
        let before = current.content.quota;
        let content = CustomerProfile { quota: Some(set(before)), ..current.content.clone() };
        let changed = current.changed(content, OPERATOR, now);
        let change = Transaction::new(&self.database)
            .replace(&Customer::new(customer), &SortKey::Customer, &changed)
            .commit();
        match change.await.map_err(WriteError::from) {
            Ok(()) => Ok(Some(before)),
            Err(WriteError::Store(error)) => Err(error),
            Err(_) => Err(StoreError::Busy),
        }
    }
}
