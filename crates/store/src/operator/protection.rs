//! How tables are protected, as AWS says; and putting that back where a restore has left it out.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_continuous_backups::UpdateContinuousBackupsError;
use aws_sdk_dynamodb::operation::update_table::UpdateTableError;
use aws_sdk_dynamodb::operation::update_time_to_live::UpdateTimeToLiveError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PointInTimeRecoverySpecification,
    PointInTimeRecoveryStatus, ScalarAttributeType, SseSpecification, SseType, TableStatus,
    TimeToLiveSpecification, TimeToLiveStatus,
};
use domain::Timestamp;

use super::Operator;
use crate::items;
use crate::{StoreError, TableKind};

/// How many days back a table can be restored: DynamoDB's most.
pub const RECOVERY_DAYS: i32 = 35;

/// How a table is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableState {
    pub arn: String,
    /// It can be read and written; a table that is being restored cannot.
    pub active: bool,
    pub deletion_protected: bool,
    pub recovery: Option<Recovery>,
    pub expires: bool,
}

/// To which times a table can be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    pub days: i32,
    pub earliest: Timestamp,
    pub latest: Timestamp,
}

impl Operator {
    /// How a table is protected; `None`: there is none.
    pub async fn table_state(&self, table: &str) -> Result<Option<TableState>, StoreError> {
        let described = match self.database.dynamo.describe_table().table_name(table).send().await {
            Ok(described) => described,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_resource_not_found_exception()) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(StoreError::unavailable(error)),
        };
        let Some(it) = described.table() else { return Ok(None) };
        // Being updated, it can be read and written all the same.
        let active = matches!(it.table_status(), Some(TableStatus::Active | TableStatus::Updating));
        Ok(Some(TableState {
            arn: it.table_arn().unwrap_or_default().to_owned(),
            active,
            deletion_protected: it.deletion_protection_enabled().unwrap_or(false),
            recovery: if active { self.recovery(table).await? } else { None },
            expires: active && self.expires(table).await?,
        }))
    }

    async fn recovery(&self, table: &str) -> Result<Option<Recovery>, StoreError> {
        let described =
            self.database.dynamo.describe_continuous_backups().table_name(table).send().await;
        let described = described.map_err(StoreError::unavailable)?;
        let recovery = described
            .continuous_backups_description()
            .and_then(|it| it.point_in_time_recovery_description())
            .filter(|it| {
                it.point_in_time_recovery_status() == Some(&PointInTimeRecoveryStatus::Enabled)
            });
        let time = |time: Option<&aws_sdk_dynamodb::primitives::DateTime>| {
            Timestamp::from_millis(time.and_then(|it| it.to_millis().ok()).unwrap_or(0))
        };
        Ok(recovery.map(|it| Recovery {
            days: it.recovery_period_in_days().unwrap_or(0),
            earliest: time(it.earliest_restorable_date_time()),
            latest: time(it.latest_restorable_date_time()),
        }))
    }

    async fn expires(&self, table: &str) -> Result<bool, StoreError> {
        let described = self.database.dynamo.describe_time_to_live().table_name(table).send().await;
        let described = described.map_err(StoreError::unavailable)?;
        let status = described.time_to_live_description().and_then(|it| it.time_to_live_status());
        Ok(matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)))
    }

    /// Starts to restore a table as it was at `at` into a new one. Where there is one of that name
    /// already, this was asked for before.
    pub async fn restore_table(
        &self,
        source: &str,
        target: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let millis = at.millis();
        let encrypted = SseSpecification::builder().enabled(true).sse_type(SseType::Kms).build();
        let restored = self
            .database
            .dynamo
            .restore_table_to_point_in_time()
            .source_table_name(source)
            .target_table_name(target)
            .restore_date_time(aws_sdk_dynamodb::primitives::DateTime::from_millis(millis))
            .sse_specification_override(encrypted)
            .send()
            .await;
        match restored {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(|it| {
                    it.is_table_already_exists_exception() || it.is_table_in_use_exception()
                }) =>
            {
                Ok(())
            }
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    /// The ARN of a table, if there is one of that name.
    pub async fn table_arn(&self, table: &str) -> Result<Option<String>, StoreError> {
        match self.database.dynamo.describe_table().table_name(table).send().await {
            Ok(described) => Ok(described.table.and_then(|it| it.table_arn)),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|it| it.is_resource_not_found_exception()) =>
            {
                Ok(None)
            }
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    /// Deletes a restored table that nobody needs any more, if it is still there.
    pub async fn delete_table(&self, table: &str) -> Result<(), StoreError> {
        match self.database.dynamo.delete_table().table_name(table).send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(|it| {
                    it.is_resource_not_found_exception() || it.is_resource_in_use_exception()
                }) =>
            {
                Ok(())
            }
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    /// Makes an empty table like ours, unless there is one of that name.
    pub async fn create_table(&self, table: &str) -> Result<(), StoreError> {
        let mut create = self.database.dynamo.create_table().table_name(table);
        for (name, kind) in [(items::PARTITION, KeyType::Hash), (items::SORT, KeyType::Range)] {
            let key = KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
            let attribute = AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S)
                .build();
            create = create
                .key_schema(key.map_err(StoreError::broken)?)
                .attribute_definitions(attribute.map_err(StoreError::broken)?);
        }
        let encrypted = SseSpecification::builder().enabled(true).sse_type(SseType::Kms).build();
        let created = create
            .billing_mode(BillingMode::PayPerRequest)
            .sse_specification(encrypted)
            .send()
            .await;
        match created {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_resource_in_use_exception()) =>
            {
                Ok(())
            }
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    /// Gives a restored table every protection that ours have: recovery to any second of 35 days,
    /// protection from being deleted, time to live, and the tags of the table it came from. False: a
    /// change of the table is under way, and the next has to wait for it.
    pub async fn protect(&self, kind: TableKind, table: &str) -> Result<bool, StoreError> {
        let Some(now) = self.table_state(table).await? else {
            return Err(StoreError::Damaged { key: table.to_owned(), what: "the table is gone" });
        };
        self.copy_tags(self.table_name(kind), &now.arn).await?;
        if now.recovery.is_none_or(|recovery| recovery.days < RECOVERY_DAYS) {
            let recovery = PointInTimeRecoverySpecification::builder()
                .point_in_time_recovery_enabled(true)
                .recovery_period_in_days(RECOVERY_DAYS)
                .build()
                .map_err(StoreError::broken)?;
            let update = self.database.dynamo.update_continuous_backups().table_name(table);
            let update = update.point_in_time_recovery_specification(recovery).send().await;
            if !is_done(
                update,
                UpdateContinuousBackupsError::is_continuous_backups_unavailable_exception,
            )? {
                return Ok(false);
            }
        }
        if kind.expires() && !now.expires {
            let expiry = TimeToLiveSpecification::builder()
                .attribute_name(items::EXPIRES_AT)
                .enabled(true)
                .build()
                .map_err(StoreError::broken)?;
            let update = self.database.dynamo.update_time_to_live().table_name(table);
            let update = update.time_to_live_specification(expiry).send().await;
            if !is_done(update, UpdateTimeToLiveError::is_resource_in_use_exception)? {
                return Ok(false);
            }
        }
        if !now.deletion_protected {
            let update = self.database.dynamo.update_table().table_name(table);
            let update = update.deletion_protection_enabled(true).send().await;
            return is_done(update, UpdateTableError::is_resource_in_use_exception);
        }
        Ok(true)
    }

    async fn copy_tags(&self, from: &str, to_arn: &str) -> Result<(), StoreError> {
        let Some(from) = self.table_state(from).await? else { return Ok(()) };
        let tags = self.database.dynamo.list_tags_of_resource().resource_arn(from.arn).send().await;
        let tags = tags.map_err(StoreError::unavailable)?.tags.unwrap_or_default();
        // Those of CloudFormation are its own, and refused.
        let ours: Vec<_> = tags.into_iter().filter(|tag| !tag.key().starts_with("aws:")).collect();
        if ours.is_empty() {
            return Ok(());
        }
        let tagged = self.database.dynamo.tag_resource().resource_arn(to_arn).set_tags(Some(ours));
        tagged.send().await.map_err(StoreError::unavailable)?;
        Ok(())
    }
}

/// Whether a change was made; false where it has to wait.
fn is_done<T, E: Error + ProvideErrorMetadata + Send + Sync + 'static>(
    made: Result<T, SdkError<E>>,
    has_to_wait: impl FnOnce(&E) -> bool,
) -> Result<bool, StoreError> {
    match made {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(has_to_wait) => Ok(false),
        Err(error) => Err(StoreError::unavailable(error)),
    }
}
