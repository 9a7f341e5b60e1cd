//! What several functions need: all that is backed up, by the ARNs that AWS Backup names it with, and
//! the projects in Sentry.

use aws_sdk_backup::primitives::DateTime;
use aws_sdk_backup::types::{RecoveryPointStatus, VaultType};
use crashes::KnownProjects;
use domain::Timestamp;
use runtime::{BackupClient, ConfigError, Env, EventError, OperatorEnv};
use store::TableKind;
use store::operator::{Bucket, Evidence, Operator};

use crate::shapes::InUse;

/// One thing that is backed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    Table(TableKind),
    Appendices,
    Evidence,
}

impl Resource {
    /// All that a run has to prove.
    pub fn all() -> impl Iterator<Item = Self> {
        TableKind::all_backed_up().map(Self::Table).chain([Self::Appendices, Self::Evidence])
    }

    /// What has to be restored and verified each night, before an evening counts as verified. A restore of the
    /// service takes neither sessions nor evidence from a backup: those are restored once a week.
    pub const fn is_proven_nightly(self) -> bool {
        !matches!(self, Self::Table(TableKind::Sessions) | Self::Evidence)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Table(kind) => kind.name(),
            Self::Appendices => backup::APPENDICES,
            Self::Evidence => backup::EVIDENCE,
        }
    }
}

/// All that is backed up, and AWS Backup: what a function needs that proves it or brings it back.
pub struct Backups {
    pub operator: Operator,
    pub bucket: Bucket,
    pub evidence: Evidence,
    pub aws_backup: BackupClient,
}

impl Backups {
    pub fn build(env: &OperatorEnv<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            operator: env.operator()?,
            bucket: env.bucket()?,
            evidence: env.evidence()?,
            aws_backup: env.aws_backup()?,
        })
    }

    /// Which of ours an ARN names.
    pub fn resource(&self, arn: &str) -> Option<Resource> {
        let name = name_of(arn);
        if name == self.bucket.name() {
            return Some(Resource::Appendices);
        }
        if name == self.evidence.bucket() {
            return Some(Resource::Evidence);
        }
        let kind = self.operator.table_kind(name).filter(|kind| kind.is_backed_up());
        kind.map(Resource::Table)
    }
}

/// The backups of something by its ARN that are whole and can be restored from at once, not those out of reach: when
/// each was taken, and its own ARN. In no order.
pub async fn recovery_points(
    aws_backup: &BackupClient,
    arn: &str,
) -> Result<Vec<(Timestamp, String)>, EventError> {
    let list = aws_backup.list_recovery_points_by_resource().resource_arn(arn);
    let mut listed = list.into_paginator().items().send();
    let mut points = Vec::new();
    while let Some(point) = listed.next().await.transpose()? {
        let fits = point.status == Some(RecoveryPointStatus::Completed)
            && point.vault_type != Some(VaultType::LogicallyAirGappedBackupVault);
        points.extend(time_of(point.creation_date).zip(point.recovery_point_arn).filter(|_| fits));
    }
    Ok(points)
}

/// A time of AWS's.
pub fn time_of(date: Option<DateTime>) -> Option<Timestamp> {
    Some(Timestamp::from_millis(date?.to_millis().ok()?))
}

/// The same the other way round.
pub fn date_of(time: Timestamp) -> DateTime {
    DateTime::from_millis(time.millis())
}

/// What the newest restore tests have found in use, of each resource of which there was anything to say.
pub async fn in_use(operator: &Operator) -> Result<Vec<(Resource, InUse)>, EventError> {
    let mut all = Vec::new();
    for resource in Resource::all() {
        let found: Option<InUse> = operator.policy_of(&InUse::name(resource.name())).await?;
        all.extend(found.map(|found| (resource, found)));
    }
    Ok(all)
}

/// Where crashes of devices go.
pub fn device_projects(env: &Env<'_>) -> Result<KnownProjects, ConfigError> {
    Ok(env.parsed_if_set("DEVICE_SENTRY_DSNS")?.unwrap_or_default())
}

/// Where any crashes go.
pub fn projects(env: &Env<'_>) -> Result<KnownProjects, ConfigError> {
    let own: KnownProjects = env.parsed_if_set("SENTRY_DSN")?.unwrap_or_default();
    Ok(own.and(device_projects(env)?))
}

/// The name of the table or bucket that an ARN ends in.
pub fn name_of(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().unwrap_or_default()
}
