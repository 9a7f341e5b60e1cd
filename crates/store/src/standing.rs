//! How tables and buckets are protected, as AWS says; and putting that back where a restore has left
//! it out. For audits and restores; no request path asks.

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
use aws_sdk_s3::types::{BucketVersioningStatus, ObjectStorageClass};
use domain::Timestamp;

use crate::items;
use crate::{Kept, Objects, Store, StoreError};

/// How many days back a table can be restored: DynamoDB's most.
pub const RECOVERY_DAYS: i32 = 35;

/// How a table stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableStanding {
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

/// How a bucket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketStanding {
    pub versioned: bool,
    /// EventBridge is told of what arrives: without it, AWS Backup is not either.
    pub announces: bool,
    /// Of the first thousand objects, all are in a class that keeps them in three zones.
    pub in_three_zones: bool,
}

impl Store {
    /// How a table stands; `None`: there is none.
    pub async fn standing(&self, table: &str) -> Result<Option<TableStanding>, StoreError> {
        let described = match self.dynamo.describe_table().table_name(table).send().await {
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
        Ok(Some(TableStanding {
            arn: it.table_arn().unwrap_or_default().to_owned(),
            active,
            deletion_protected: it.deletion_protection_enabled().unwrap_or(false),
            recovery: if active { self.recovery(table).await? } else { None },
            expires: active && self.expires(table).await?,
        }))
    }

    async fn recovery(&self, table: &str) -> Result<Option<Recovery>, StoreError> {
        let described = self.dynamo.describe_continuous_backups().table_name(table).send().await;
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
        let described = self.dynamo.describe_time_to_live().table_name(table).send().await;
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

    /// Makes an empty table like ours, unless there is one of that name.
    pub async fn create_table(&self, table: &str) -> Result<(), StoreError> {
        let mut create = self.dynamo.create_table().table_name(table);
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
    pub async fn protect(&self, kept: Kept, table: &str) -> Result<bool, StoreError> {
        let Some(now) = self.standing(table).await? else {
            return Err(StoreError::Damaged { key: table.to_owned(), what: "the table is gone" });
        };
        self.copy_tags(self.table_name(kept), &now.arn).await?;
        if now.recovery.is_none_or(|recovery| recovery.days < RECOVERY_DAYS) {
            let recovery = PointInTimeRecoverySpecification::builder()
                .point_in_time_recovery_enabled(true)
                .recovery_period_in_days(RECOVERY_DAYS)
                .build()
                .map_err(StoreError::broken)?;
            let update = self.dynamo.update_continuous_backups().table_name(table);
            let update = update.point_in_time_recovery_specification(recovery).send().await;
            if !is_done(
                update,
                UpdateContinuousBackupsError::is_continuous_backups_unavailable_exception,
            )? {
                return Ok(false);
            }
        }
        if kept.expires() && !now.expires {
            let expiry = TimeToLiveSpecification::builder()
                .attribute_name(items::EXPIRES_AT)
                .enabled(true)
                .build()
                .map_err(StoreError::broken)?;
            let update = self.dynamo.update_time_to_live().table_name(table);
            let update = update.time_to_live_specification(expiry).send().await;
            if !is_done(update, UpdateTimeToLiveError::is_resource_in_use_exception)? {
                return Ok(false);
            }
        }
        if !now.deletion_protected {
            let update = self.dynamo.update_table().table_name(table);
            let update = update.deletion_protection_enabled(true).send().await;
            return is_done(update, UpdateTableError::is_resource_in_use_exception);
        }
        Ok(true)
    }

    async fn copy_tags(&self, from: &str, to_arn: &str) -> Result<(), StoreError> {
        let Some(from) = self.standing(from).await? else { return Ok(()) };
        let tags = self.dynamo.list_tags_of_resource().resource_arn(from.arn).send().await;
        let tags = tags.map_err(StoreError::unavailable)?.tags.unwrap_or_default();
        // Those of CloudFormation are its own, and refused.
        let ours: Vec<_> = tags.into_iter().filter(|tag| !tag.key().starts_with("aws:")).collect();
        if ours.is_empty() {
            return Ok(());
        }
        let tagged = self.dynamo.tag_resource().resource_arn(to_arn).set_tags(Some(ours));
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

impl Kept {
    /// Whether items of the table expire.
    pub const fn expires(self) -> bool {
        matches!(self, Self::Records | Self::Accounts | Self::Sessions)
    }
}

impl Objects {
    pub async fn standing(&self) -> Result<BucketStanding, StoreError> {
        let versioning = self.s3.get_bucket_versioning().bucket(&self.bucket).send().await;
        let versioning = versioning.map_err(StoreError::unavailable)?;
        let announces =
            self.s3.get_bucket_notification_configuration().bucket(&self.bucket).send().await;
        let announces = announces.map_err(StoreError::unavailable)?;
        let listed = self.s3.list_objects_v2().bucket(&self.bucket).send().await;
        let listed = listed.map_err(StoreError::unavailable)?;
        let in_one_zone = |class: &ObjectStorageClass| {
            matches!(class, ObjectStorageClass::OnezoneIa | ObjectStorageClass::ExpressOnezone)
        };
        Ok(BucketStanding {
            versioned: versioning.status() == Some(&BucketVersioningStatus::Enabled),
            announces: announces.event_bridge_configuration().is_some(),
            in_three_zones: listed
                .contents()
                .iter()
                .all(|object| !object.storage_class().is_some_and(in_one_zone)),
        })
    }
}
