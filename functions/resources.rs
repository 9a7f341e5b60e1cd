//! What several functions need: all that is backed up, by the ARNs that AWS Backup names it with, and
//! the projects in Sentry.

use crashes::KnownProjects;
use runtime::{BackupClient, ConfigError, Env, OperatorEnv};
use store::TableKind;
use store::operator::{Bucket, Evidence, Operator};

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
        TableKind::ALL.into_iter().map(Self::Table).chain([Self::Appendices, Self::Evidence])
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
        self.operator.table_kind(name).map(Resource::Table)
    }
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
