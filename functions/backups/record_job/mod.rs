//! AWS Backup's "Backup Job State Change": notes how a job ended. One that failed, or that completed and
//! holds nothing or has issues, raises the alarm and is started once more. So does a copy to the
//! air-gapped vault that failed ("Copy Job State Change"): with the next evening it is made again. Each hour, what
//! no event has told of is taken up.

use std::time::Duration;

use aws_sdk_backup::types::{BackupJobState, CopyJobState, Lifecycle};
use backup::{APPENDICES, Manifest};
use domain::Timestamp;
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::operator::BackupJob;

use crate::resources::{Backups, Resource, date_of, name_of, time_of};

/// What EventBridge sends of a job; or, each hour, nothing.
#[derive(Debug, Deserialize)]
pub struct Event {
    detail: Option<Detail>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    #[serde(alias = "copyJobId")]
    backup_job_id: String,
    /// Absent of a copy.
    backup_vault_name: Option<String>,
    resource_arn: String,
    state: String,
    creation_date: Timestamp,
    /// A number in a text; of a copy, a number. Absent where nothing was made.
    #[serde(default)]
    backup_size_in_bytes: serde_json::Value,
    status_message: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Why this is no backup, if it is none.
    pub fault: Option<String>,
    /// The job that was started in its place.
    pub again: Option<String>,
    /// Of the hourly look: jobs of which no event had told.
    pub taken_up: Vec<String>,
}

impl Outcome {
    const fn of(fault: Option<String>, again: Option<String>) -> Self {
        Self { fault, again, taken_up: Vec::new() }
    }
}

/// What the function needs.
pub struct Context {
    backups: Backups,
    /// In which a job is started again.
    role: String,
    /// How long what it makes is kept: without an end, the vault would refuse it.
    retention_days: i64,
    /// Where copies go.
    air_gapped_vault_arn: String,
    vault: String,
}

/// AWS may start a job eight hours late that says nothing of when.
const START_WINDOW_MINUTES: i64 = 60;
/// What ended so long ago is not taken up any more.
const TAKEN_UP_WITHIN: Duration = Duration::from_secs(2 * 24 * 60 * 60);
/// Shorter than what lies between the daily job and the monthly one: neither is in the other's way.
const TIME_OF_DAY: Duration = Duration::from_secs(6 * 60 * 60);

pub const FUNCTION: EventFunction<Context, Event, Outcome> = EventFunction {
    name: "record-backup-job",
    build: |env| {
        Ok(Context {
            backups: Backups::build(env)?,
            role: env.required("BACKUP_ROLE")?,
            retention_days: env.parsed("DAILY_RETENTION_DAYS")?,
            air_gapped_vault_arn: env.required("AIR_GAPPED_VAULT_ARN")?,
            vault: env.required("BACKUP_VAULT")?,
        })
    },
    handle: |context, event| {
        Box::pin(async move {
            match &event.detail {
                Some(job) => handle(context, job, runtime::now()).await,
                None => take_up(context, runtime::now()).await,
            }
        })
    },
};

async fn handle(context: &Context, job: &Detail, now: Timestamp) -> Result<Outcome, EventError> {
    let Context { backups, role, retention_days, .. } = context;
    let fault = fault(backups, job).await?;
    let note = BackupJob {
        id: job.backup_job_id.clone(),
        resource: job.resource_arn.clone(),
        state: job.state.clone(),
        bytes: job.bytes(),
        message: job.status_message.clone(),
        fault: fault.clone(),
        noted_at: now,
    };
    let noted = backups.operator.note_job(&note).await?;
    let Some(fault) = fault else { return Ok(Outcome::of(None, None)) };
    let resource = name_of(&job.resource_arn);
    tracing::error!(failed = 1, resource, cause = fault, "a backup failed");
    let Some(vault) = &job.backup_vault_name else {
        return Ok(Outcome::of(Some(fault), None));
    };
    // However often jobs fail and events come, one more is started for those of one time of the day.
    let token = format!("again-{resource}-{}", job.creation_date.start_of(TIME_OF_DAY).millis());
    let again = backups
        .aws_backup
        .start_backup_job()
        .backup_vault_name(vault)
        .resource_arn(&job.resource_arn)
        .iam_role_arn(role)
        .start_window_minutes(START_WINDOW_MINUTES)
        .lifecycle(Lifecycle::builder().delete_after_days(*retention_days).build())
        .idempotency_token(token)
        .send()
        .await?;
    let again = again.backup_job_id.filter(|id| noted && *id != job.backup_job_id);
    Ok(Outcome::of(Some(fault), again))
}

/// AWS tells of jobs as well as it can. What has ended of late and is not noted is taken up here.
async fn take_up(context: &Context, now: Timestamp) -> Result<Outcome, EventError> {
    let mut taken_up = Vec::new();
    for job in ended(context, now).await? {
        if context.backups.operator.job(&job.backup_job_id).await?.is_none() {
            let (id, state) = (&job.backup_job_id, &job.state);
            tracing::warn!(job = id, state, "no event told of a job");
            handle(context, &job, now).await?;
            taken_up.push(job.backup_job_id);
        }
    }
    Ok(Outcome { fault: None, again: None, taken_up })
}

/// The backup jobs that have ended in the last two days, and the copies that have failed.
async fn ended(context: &Context, now: Timestamp) -> Result<Vec<Detail>, EventError> {
    let Context { backups, vault, air_gapped_vault_arn, .. } = context;
    let since = date_of(now.before(TAKEN_UP_WITHIN));
    let mut ended = Vec::new();
    let jobs = backups.aws_backup.list_backup_jobs().by_backup_vault_name(vault);
    let mut jobs = jobs.by_created_after(since).into_paginator().items().send();
    while let Some(job) = jobs.next().await.transpose()? {
        let state = job.state().map_or("", BackupJobState::as_str).to_owned();
        if matches!(state.as_str(), "ABORTED" | "COMPLETED" | "EXPIRED" | "FAILED" | "PARTIAL") {
            ended.push(Detail {
                backup_job_id: job.backup_job_id.unwrap_or_default(),
                backup_vault_name: job.backup_vault_name,
                resource_arn: job.resource_arn.unwrap_or_default(),
                state,
                creation_date: time_of(job.creation_date).ok_or("the job names no time")?,
                backup_size_in_bytes: job.backup_size_in_bytes.into(),
                status_message: job.status_message,
            });
        }
    }
    let copies = backups.aws_backup.list_copy_jobs().by_destination_vault_arn(air_gapped_vault_arn);
    let mut copies = copies.by_created_after(since).into_paginator().items().send();
    while let Some(job) = copies.next().await.transpose()? {
        let state = job.state().map_or("", CopyJobState::as_str).to_owned();
        if matches!(state.as_str(), "FAILED" | "PARTIAL") {
            ended.push(Detail {
                backup_job_id: job.copy_job_id.unwrap_or_default(),
                backup_vault_name: None,
                resource_arn: job.resource_arn.unwrap_or_default(),
                state,
                creation_date: time_of(job.creation_date).ok_or("the job names no time")?,
                backup_size_in_bytes: job.backup_size_in_bytes.into(),
                status_message: job.status_message,
            });
        }
    }
    Ok(ended)
}

/// Within so long, DynamoDB has looked at how large a table is: about every six hours, it says.
const SIZE_KNOWN_WITHIN: Duration = Duration::from_secs(12 * 60 * 60);

/// Why this is no backup. That a job says it has completed is not enough.
async fn fault(backups: &Backups, job: &Detail) -> Result<Option<String>, EventError> {
    let message = job.status_message.as_deref().unwrap_or("no reason was given");
    if job.state != "COMPLETED" {
        return Ok(Some(format!("{}: {message}", job.state)));
    }
    if job.status_message.as_deref().is_some_and(|message| !message.trim().is_empty()) {
        return Ok(Some(format!("completed with issues: {message}")));
    }
    let name = match backups.resource(&job.resource_arn) {
        Some(Resource::Table(kind)) => kind.name(),
        Some(Resource::Appendices) => APPENDICES,
        // Something is always in the evidence once a run was opened; before that, nothing need be.
        Some(Resource::Evidence) | None => return Ok(None),
    };
    if job.bytes() != Some(0) {
        return Ok(None);
    }
    let runs = backups.operator.runs().await?;
    // DynamoDB knows how large a table is some six hours later: a size of nothing says nothing of what was
    // written since. What was there in the run of the evening before was known long ago.
    let known_by = match backups.resource(&job.resource_arn) {
        Some(Resource::Table(_)) => job.creation_date.before(SIZE_KNOWN_WITHIN),
        _ => job.creation_date,
    };
    let known = runs.iter().filter(|run| run.cut <= known_by).max_by_key(|run| run.cut);
    let Some(run) = known else { return Ok(None) };
    let manifest = Manifest::from_json(&backups.evidence.read(&run.manifest).await?)?;
    let count = manifest.table(name).all.count;
    Ok((count > 0).then(|| format!("completed and holds nothing of {count}")))
}

impl Detail {
    fn bytes(&self) -> Option<u64> {
        let bytes = &self.backup_size_in_bytes;
        bytes.as_u64().or_else(|| bytes.as_str()?.parse().ok())
    }
}
