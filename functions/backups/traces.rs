//! What is said of what is gone, and the tables that are restored beside to name it.

use backup::Findings;
use domain::Timestamp;
use runtime::{BackupClient, ConfigError, EventError, OperatorEnv};
use serde::{Deserialize, Serialize};
use store::TableKind;
use store::operator::{BackupRun, Operator};

use crate::resources::recovery_points;

/// What is gone from one table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trace {
    /// The evening at which the chain was broken.
    pub run: Timestamp,
    /// The one that was whole, of which the copy is.
    pub base: Timestamp,
    pub table: String,
    pub findings: Findings,
    /// Why nothing could be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

impl Trace {
    /// Where it is, in the bucket of evidence.
    pub fn key(&self) -> String {
        format!("{}{}.json", Self::prefix(self.run), self.table)
    }

    pub fn prefix(run: Timestamp) -> String {
        format!("traces/{run}/")
    }
}

/// How the tables are called that are restored for this: they say what they are for.
pub struct Names {
    prefix: String,
}

impl Names {
    pub fn build(env: &OperatorEnv<'_>) -> Result<Self, ConfigError> {
        Ok(Self { prefix: format!("{}-restored-trace-", env.required("RESTORED_NAME")?) })
    }

    fn write(&self, kind: TableKind, run: Timestamp, base: Timestamp) -> String {
        format!("{}{}-{}-{}", self.prefix, kind.name(), run.millis(), base.millis())
    }

    /// Which table this is a copy of, of which run's trace, as it was at which run.
    pub fn read(&self, name: &str) -> Option<(TableKind, Timestamp, Timestamp)> {
        let mut parts = name.strip_prefix(&self.prefix)?.split('-');
        let (kind, run, base) = (parts.next()?, parts.next()?, parts.next()?);
        let kind = TableKind::ALL.into_iter().find(|it| it.name() == kind)?;
        let time = |millis: &str| millis.parse().ok().map(Timestamp::from_millis);
        Some((kind, time(run)?, time(base)?))
    }
}

/// What starts a trace.
pub struct Tracing {
    pub aws_backup: BackupClient,
    pub names: Names,
    /// In which AWS Backup restores.
    pub role: String,
}

impl Tracing {
    pub fn build(env: &OperatorEnv<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            aws_backup: env.aws_backup()?,
            names: Names::build(env)?,
            role: env.required("RESTORE_ROLE")?,
        })
    }

    /// Has a table restored beside as it was on the evening of `base`. Whether there is a backup of that.
    pub async fn start(
        &self,
        operator: &Operator,
        kind: TableKind,
        run: Timestamp,
        base: &BackupRun,
    ) -> Result<bool, EventError> {
        let Some(arn) = operator.table_arn(operator.table_name(kind)).await? else {
            return Ok(false);
        };
        let Some(point) = self.first_after(&arn, base.cut).await? else { return Ok(false) };
        let copy = self.names.write(kind, run, base.scheduled_at);
        self.aws_backup
            .start_restore_job()
            .recovery_point_arn(point)
            .iam_role_arn(&self.role)
            .resource_type("DynamoDB")
            .metadata("targetTableName", &copy)
            .metadata("encryptionType", "Default")
            .idempotency_token(&copy)
            .send()
            .await?;
        Ok(true)
    }

    /// The first backup that was taken after a cut: it has all from before that, and was there the longest
    /// before it was lost.
    async fn first_after(&self, arn: &str, cut: Timestamp) -> Result<Option<String>, EventError> {
        let points = recovery_points(&self.aws_backup, arn).await?;
        let first = points.into_iter().filter(|(at, _)| *at >= cut).min_by_key(|(at, _)| *at);
        Ok(first.map(|(_, point)| point))
    }
}
