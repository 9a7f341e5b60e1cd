//! The one way to change anything durable: all of a change, or none of it.

use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use domain::{Revision, Version};
use serde::Serialize;

use crate::items::{self, Item};
use crate::keys::SortKey;
use crate::requests::Remember;
use crate::{Customer, Earlier, Store, StoreError, WriteError, keys};

/// Transactions that meet on one item are cancelled, not queued; these many tries, each after a
/// longer wait, let a burst of writers through one by one.
const ATTEMPTS_MAX: u32 = 8;

/// What a step of a transaction is for, so that its refusal can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Create,
    Replace,
    Revision,
    Request,
    Login,
}

/// Why a transaction was not made: the first step whose condition failed, and what was there.
pub(crate) enum Refusal {
    Condition { step: Step, found: Option<Item> },
    Store(StoreError),
}

impl From<Refusal> for WriteError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Condition { step: Step::Request, found: Some(item) } => {
                match Earlier::read(&item) {
                    Ok(earlier) => Self::Repeated(earlier),
                    Err(error) => Self::Store(error),
                }
            }
            Refusal::Condition { step: Step::Create | Step::Login, .. } => Self::Exists,
            Refusal::Condition { found, .. } => {
                let current = found
                    .filter(|item| !item.contains_key(items::DELETED))
                    .and_then(|item| items::Fields(&item).parse::<Version>(items::VERSION).ok());
                Self::Stale { current }
            }
            Refusal::Store(error) => Self::Store(error),
        }
    }
}

/// Collects the steps of one change.
pub(crate) struct Transaction<'a> {
    store: &'a Store,
    writes: Vec<TransactWriteItem>,
    steps: Vec<Step>,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store, writes: Vec::new(), steps: Vec::new() }
    }

    /// Creates a thing and its first revision, unless it exists.
    pub(crate) fn create<T: Serialize>(
        self,
        table: &str,
        customer: &Customer,
        sort: &SortKey,
        revision: &Revision<T>,
    ) -> Self {
        let partition = keys::customer_partition(customer.id());
        let (item, immutable) = items::revision_pair(&partition, sort, revision);
        self.put_new(Step::Create, table, item).put_new(Step::Revision, table, immutable)
    }

    /// Replaces a thing by its next revision, if it still is at the version before and not deleted.
    pub(crate) fn replace<T: Serialize>(
        self,
        table: &str,
        customer: &Customer,
        sort: &SortKey,
        revision: &Revision<T>,
    ) -> Self {
        let partition = keys::customer_partition(customer.id());
        let (item, immutable) = items::revision_pair(&partition, sort, revision);
        let seen = revision.version.get() - 1;
        let put = put(table, item)
            .condition_expression("#version = :seen AND attribute_not_exists(#deleted)")
            .expression_attribute_names("#version", items::VERSION)
            .expression_attribute_names("#deleted", items::DELETED)
            .expression_attribute_values(":seen", items::number(seen));
        self.put(Step::Replace, put).put_new(Step::Revision, table, immutable)
    }

    /// Remembers the answer to the request, unless it was answered before.
    pub(crate) fn remember(
        self,
        table: &str,
        partition: &str,
        sort: &SortKey,
        remember: &Remember,
    ) -> Self {
        // Time to live deletes late: an expired answer does not count any more.
        let put = put(table, remember.to_item(partition, sort))
            .condition_expression("attribute_not_exists(#pk) OR #expires_at < :now")
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_names("#expires_at", items::EXPIRES_AT)
            .expression_attribute_values(":now", items::number(remember.now.seconds()));
        self.put(Step::Request, put)
    }

    /// Puts an item that must not exist yet.
    pub(crate) fn put_new(self, step: Step, table: &str, item: Item) -> Self {
        let put = put(table, item)
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", items::PARTITION);
        self.put(step, put)
    }

    fn put(mut self, step: Step, put: aws_sdk_dynamodb::types::builders::PutBuilder) -> Self {
        let put = put.build().expect("table and item are set");
        self.writes.push(TransactWriteItem::builder().put(put).build());
        self.steps.push(step);
        self
    }

    /// Makes the change. The client token that the SDK adds lets its own retries of a lost answer
    /// succeed instead of failing on what the first try wrote.
    pub(crate) async fn commit(self) -> Result<(), Refusal> {
        for attempt in 0..ATTEMPTS_MAX {
            if attempt > 0 {
                tokio::time::sleep(backoff(attempt)).await;
            }
            let sent = self
                .store
                .dynamo
                .transact_write_items()
                .set_transact_items(Some(self.writes.clone()))
                .send()
                .await;
            let Err(error) = sent else { return Ok(()) };
            match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    if let Some(refusal) = self.refusal(cancelled.cancellation_reasons()) {
                        return Err(refusal);
                    }
                    // Only conflicts with other transactions: try again.
                }
                _ => return Err(Refusal::Store(StoreError::unavailable(error))),
            }
        }
        Err(Refusal::Store(StoreError::Busy))
    }

    /// The refusal that explains the others: a repeated request before anything it repeats.
    fn refusal(&self, reasons: &[aws_sdk_dynamodb::types::CancellationReason]) -> Option<Refusal> {
        let failed = |reason: &aws_sdk_dynamodb::types::CancellationReason| {
            reason.code() == Some("ConditionalCheckFailed")
        };
        let mut refused = self.steps.iter().zip(reasons).filter(|(_, reason)| failed(reason));
        let first = refused.next()?;
        let (step, reason) =
            refused.chain([first]).find(|(step, _)| **step == Step::Request).unwrap_or(first);
        Some(Refusal::Condition { step: *step, found: reason.item().cloned() })
    }
}

fn put(table: &str, item: Item) -> aws_sdk_dynamodb::types::builders::PutBuilder {
    Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
}

/// 10 ms doubling to at most 640 ms, of which a random half is waited at least.
pub(crate) fn backoff(attempt: u32) -> Duration {
    let millis = 10_u64 << attempt.min(6);
    Duration::from_millis(millis / 2 + fastrand::u64(0..=millis / 2))
}
