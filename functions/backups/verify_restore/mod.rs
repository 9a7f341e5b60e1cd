//! AWS Backup's "Restore Job State Change": holds what a restore test has restored against the manifest
//! of its evening, item by item, and gives the verdict. The evidence is kept first, the verdict last:
//! cut off anywhere, another try does it all.
//!
//! A table that is too large for one function is shared out by the state machine of infra/verify.yaml:
//! the same event comes once for each segment, whose sums are kept, and then once more to conclude.

pub mod take_up;

use aws_sdk_backup::types::RestoreValidationStatus;
use backup::{Cause, Manifest, ObjectsCheck, Report, TableCheck, Verifier};
use domain::Timestamp;
use futures_util::future::try_join;
use runtime::{EventError, EventFunction};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::TableKind;
use store::operator::{BackupRun, Segment, Verification};

use super::documents::{Documents, document_digest};
use crate::backups::open_run::redacted_since;
use crate::resources::{Backups, Resource, name_of, time_of};
use crate::shapes::{InUse, VerifiedBackup, WeeklyRestore};

/// What EventBridge sends of it; or, each hour, nothing.
#[derive(Debug, Deserialize)]
pub struct Event {
    detail: Option<Detail>,
    /// Only look at this part, and keep its sums.
    segment: Option<Segment>,
    /// So many parts were looked at: put them together.
    segments: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    restore_job_id: String,
    status: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// The sums of a part are kept.
    LookedAt {
        checked: u64,
    },
    Verified {
        resource: &'static str,
        checked: u64,
    },
    Refuted {
        resource: &'static str,
        findings: u64,
    },
    /// AWS Backup could not restore it.
    NotRestored,
    /// No test: a restore by hand.
    NotATest,
    /// A test of what is not in use: another stack's, or of tables from before a restore.
    NotOurs,
    /// An earlier event has done it.
    JudgedBefore,
    /// Of the hourly look: the restore of which no event had told, if there was one, and how many more wait.
    TakenUp {
        job: Option<String>,
        left: usize,
    },
}

pub const FUNCTION: EventFunction<Backups, Event, Outcome> = EventFunction {
    name: "verify-restore",
    build: Backups::build,
    handle: |context, event| {
        Box::pin(async move {
            match &event.detail {
                Some(detail) => handle(context, &event, detail).await,
                None => take_up::take_up(context, runtime::now()).await,
            }
        })
    },
};

/// What a restore job turns out to be.
enum RestoreJob {
    ToVerify(Restored),
    /// It is none to look at.
    Other(Outcome),
}

/// A restore as AWS Backup knows it.
struct Restored {
    job: String,
    resource: Resource,
    copy: String,
    recovery_point: String,
    taken_at: Timestamp,
}

async fn handle(context: &Backups, event: &Event, detail: &Detail) -> Result<Outcome, EventError> {
    let Detail { restore_job_id, status } = detail;
    if status != "COMPLETED" {
        let (job, cause) = (restore_job_id, status);
        tracing::error!(failed = 1, job, cause, "a backup could not be restored");
        return Ok(Outcome::NotRestored);
    }
    let restored = match look_at(context, restore_job_id).await? {
        RestoreJob::ToVerify(restored) => restored,
        RestoreJob::Other(outcome) => return Ok(outcome),
    };
    let run = context.operator.run_before(restored.taken_at).await?;
    let run = run.ok_or("no manifest is from before the backup")?;
    let manifest = Manifest::from_json(&context.evidence.read(&run.manifest).await?)?;
    // Of now: a row of the ledger that says it is older than it is would be one too many in a copy.
    let now = runtime::now();
    let newest = context.operator.run_before(now).await?;
    let links = context.operator.links().await?;
    // The evening after holds what is in use against this manifest without who was forgotten since; the night does not.
    let is_redacted = redacted_since(&links, &run).next().is_some()
        && restored.resource == Resource::Table(TableKind::Accounts);
    let verifier = Verifier {
        operator: &context.operator,
        bucket: &context.bucket,
        manifest: &manifest,
        // What an earlier run had may have been acknowledged to be gone.
        looks_in_use: !is_redacted
            && newest.is_some_and(|newest| newest.scheduled_at == run.scheduled_at),
    };
    if let Some(segment) = event.segment {
        return look_at_part(context, &verifier, &restored, &run, segment).await;
    }
    let mut report = verify(context, &verifier, &restored, &run, event.segments).await?;
    let accepted = links.iter().flat_map(|link| &link.accepted).map(String::as_str).collect();
    report.findings.accept(&accepted);
    report.in_use.accept(&accepted);
    let verification = keep(context, &restored, &run, &report, now).await?;
    if verifier.looks_in_use {
        note_in_use(context, &run, &report, now).await?;
    }
    if verification.verified && !restored.resource.is_proven_nightly() {
        let name = WeeklyRestore::name(restored.resource.name());
        context.operator.note_policy(&name, now, &WeeklyRestore { since: now }).await?;
    }
    if verification.verified {
        note_whole_run(context, &run, &manifest, now).await?;
    }
    judge(context, &restored, &report).await?;
    let resource = restored.resource.name();
    Ok(if report.is_clean() {
        Outcome::Verified { resource, checked: report.checked }
    } else {
        Outcome::Refuted { resource, findings: report.findings.faults() }
    })
}

/// Which restore this is of what, or why it is none to look at.
async fn look_at(context: &Backups, id: &str) -> Result<RestoreJob, EventError> {
    let job = context.aws_backup.describe_restore_job().restore_job_id(id).send().await?;
    let test = job.created_by().and_then(|by| by.restore_testing_plan_arn());
    if test.is_none() {
        return Ok(RestoreJob::Other(Outcome::NotATest));
    }
    if matches!(
        job.validation_status(),
        Some(RestoreValidationStatus::Successful | RestoreValidationStatus::Failed)
    ) {
        return Ok(RestoreJob::Other(Outcome::JudgedBefore));
    }
    let source = job.source_resource_arn().ok_or("the job names no source")?;
    let Some(resource) = context.resource(source) else {
        return Ok(RestoreJob::Other(Outcome::NotOurs));
    };
    let taken_at = time_of(job.recovery_point_creation_date).ok_or("the job names no time")?;
    Ok(RestoreJob::ToVerify(Restored {
        job: id.to_owned(),
        resource,
        copy: name_of(job.created_resource_arn().ok_or("the job names no copy")?).to_owned(),
        recovery_point: job.recovery_point_arn().unwrap_or_default().to_owned(),
        taken_at,
    }))
}

async fn verify(
    context: &Backups,
    verifier: &Verifier<'_>,
    restored: &Restored,
    run: &BackupRun,
    segments: Option<u32>,
) -> Result<Report, EventError> {
    let copy = &restored.copy;
    Ok(match (restored.resource, segments) {
        (Resource::Table(kind), None) => verifier.table(kind, copy).await?,
        (Resource::Table(kind), Some(of)) => {
            let merge = |whole: &mut TableCheck, part: TableCheck| whole.merge(&part);
            let whole = all_parts(context, restored, run, of, merge).await?;
            verifier.conclude(kind, copy, &whole).await?
        }
        (Resource::Appendices, None) => verifier.appendices(copy).await?,
        (Resource::Appendices, Some(of)) => {
            let whole = all_parts(context, restored, run, of, ObjectsCheck::merge).await?;
            verifier.conclude_objects(copy, &whole).await?
        }
        (Resource::Evidence, _) => {
            let operator = &context.operator;
            let (runs, reports) = try_join(operator.runs(), operator.all_verifications()).await?;
            let documents = Documents::new(&runs, &reports);
            let in_use = context.evidence.bucket();
            verifier.evidence(in_use, copy, documents.all()).await?
        }
    })
}

/// What the first looks have kept, put together one after the other.
async fn all_parts<T: Default + DeserializeOwned>(
    context: &Backups,
    restored: &Restored,
    run: &BackupRun,
    of: u32,
    merge: impl Fn(&mut T, T),
) -> Result<T, EventError> {
    let mut whole = T::default();
    for index in 0..of {
        let key = part_key(restored, run, Segment { index, of });
        merge(&mut whole, serde_json::from_slice(&context.evidence.read(&key).await?)?);
    }
    Ok(whole)
}

/// The first look at a part of a table or of the appendices. The evidence is small.
async fn look_at_part(
    context: &Backups,
    verifier: &Verifier<'_>,
    restored: &Restored,
    run: &BackupRun,
    segment: Segment,
) -> Result<Outcome, EventError> {
    let (checked, part) = match restored.resource {
        Resource::Table(kind) => {
            let part = verifier.segment(kind, &restored.copy, segment).await?;
            (part.items, serde_json::to_vec(&part)?)
        }
        Resource::Appendices => {
            let part = verifier.objects_segment(&restored.copy, segment).await?;
            (part.checked, serde_json::to_vec(&part)?)
        }
        Resource::Evidence => return Ok(Outcome::LookedAt { checked: 0 }),
    };
    context.evidence.keep(&part_key(restored, run, segment), part).await?;
    Ok(Outcome::LookedAt { checked })
}

fn part_key(restored: &Restored, run: &BackupRun, segment: Segment) -> String {
    let (run, job, Segment { index, of }) = (run.scheduled_at, &restored.job, segment);
    format!("parts/{run}/{job}-{index}-of-{of}.json")
}

async fn keep(
    context: &Backups,
    restored: &Restored,
    run: &BackupRun,
    report: &Report,
    now: Timestamp,
) -> Result<Verification, EventError> {
    let name = restored.resource.name();
    let key = format!("verifications/{}/{name}-{}.json", run.scheduled_at, restored.job);
    let kept = context.evidence.keep(&key, serde_json::to_vec(report)?).await?;
    let verification = Verification {
        job: restored.job.clone(),
        resource: name.to_owned(),
        recovery_point: restored.recovery_point.clone(),
        run: run.scheduled_at,
        verified: report.is_clean(),
        checked: report.checked,
        findings: report.findings.faults(),
        report: key,
        document: Some(document_digest(&kept)),
        noted_at: now,
    };
    context.operator.note_verification(&verification).await?;
    if !report.is_clean() {
        let cause = report.findings.in_short();
        tracing::error!(failed = 1, resource = name, cause, "a backup is not what it should be");
    } else if report.findings.counts.contains_key(&Cause::DamagedInUse) {
        // No fault of the backup, and of things as they are now no manifest tells.
        let cause = report.findings.in_short();
        tracing::error!(failed = 1, resource = name, cause, "items are not as they were written");
    }
    Ok(verification)
}

/// What is in use has to be what the newest manifest says: else the chain is broken, whatever the backup is.
async fn note_in_use(
    context: &Backups,
    run: &BackupRun,
    report: &Report,
    now: Timestamp,
) -> Result<(), EventError> {
    let name = InUse::name(&report.resource);
    let found = InUse { run: run.scheduled_at, findings: report.in_use.clone() };
    let earlier: Option<InUse> = context.operator.policy_of(&name).await?;
    if found.is_whole() && earlier.is_none_or(|earlier| earlier.is_whole()) {
        return Ok(());
    }
    context.operator.note_policy(&name, now, &found).await?;
    if !found.is_whole() {
        let (resource, cause) = (&report.resource, report.in_use.in_short());
        tracing::error!(
            failed = 1,
            resource,
            cause,
            "what is in use is not what it was at the cut"
        );
    }
    Ok(())
}

/// Says that a run is verified once everything of it is.
async fn note_whole_run(
    context: &Backups,
    run: &BackupRun,
    manifest: &Manifest,
    now: Timestamp,
) -> Result<(), EventError> {
    // To verify one evening again proves nothing of the next.
    let earlier: Option<VerifiedBackup> = context.operator.policy_of(VerifiedBackup::NAME).await?;
    // One that a wrong clock has put ahead hides none.
    if earlier.is_some_and(|it| it.run >= run.scheduled_at && it.run <= now) {
        return Ok(());
    }
    let found = context.operator.verifications(run.scheduled_at).await?;
    // Of something that was restored twice, what was found last.
    let newest = |resource: Resource| {
        let of = found.iter().filter(|it| it.resource == resource.name());
        of.max_by_key(|it| it.noted_at)
    };
    let nightly = Resource::all().filter(|resource| resource.is_proven_nightly());
    let verified: Option<Vec<&Verification>> = nightly.map(newest).collect();
    let Some(verified) = verified.filter(|all| all.iter().all(|it| it.verified)) else {
        return Ok(());
    };
    let verified = VerifiedBackup {
        run: run.scheduled_at,
        cut: run.cut,
        verified_at: now,
        revisions: run.revisions,
        appendices: manifest.table(backup::APPENDICES).all.count,
        digest: run.digest.clone(),
        checked: verified.iter().map(|it| (it.resource.clone(), it.checked)).collect(),
    };
    context.operator.note_policy(VerifiedBackup::NAME, now, &verified).await?;
    // From the first such evening on, the others have their week.
    for resource in Resource::all().filter(|resource| !resource.is_proven_nightly()) {
        let name = WeeklyRestore::name(resource.name());
        if context.operator.policy_of::<WeeklyRestore>(&name).await?.is_none() {
            let since = WeeklyRestore { since: now };
            context.operator.note_policy(&name, now, &since).await?;
        }
    }
    tracing::info!(run = %run.scheduled_at, "the backup is verified");
    Ok(())
}

/// The verdict can be given once: `FAILED` is for what is wrong with the copy, and for nothing else.
async fn judge(context: &Backups, restored: &Restored, report: &Report) -> Result<(), EventError> {
    let (status, message) = if report.is_clean() {
        (RestoreValidationStatus::Successful, format!("{} as they were", report.checked))
    } else {
        (RestoreValidationStatus::Failed, report.findings.in_short())
    };
    let message: String = message.chars().take(200).collect();
    let judged = context
        .aws_backup
        .put_restore_validation_result()
        .restore_job_id(&restored.job)
        .validation_status(status)
        .validation_status_message(message)
        .send()
        .await;
    match judged {
        Ok(_) => Ok(()),
        // An event that came twice, or a verdict whose receipt was lost: it stands.
        Err(error) => match look_at(context, &restored.job).await? {
            RestoreJob::Other(Outcome::JudgedBefore) => Ok(()),
            _ => Err(error.into()),
        },
    }
}
