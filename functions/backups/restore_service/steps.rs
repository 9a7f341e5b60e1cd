//! The steps of a restore: what has to be so before one is gone through, and what follows from what it has found.
//! Each can be done twice, and is noted when it is done.

use aws_sdk_backup::types::RestoreJobStatus;
use backup::{Cause, Findings};
use domain::Timestamp;
use runtime::EventError;
use store::operator::{Operator, Segment};
use store::{Restoration, TableKind};

use super::parts::{Part, Work};
use super::plan::{Restore, new_tables};
use super::{Context, Outcome};
use crate::resources::recovery_points;
use crate::shapes::RestoreState;

/// What is left to do after the last step.
pub const DONE: &str = "nothing: the service runs on the restored tables";

/// Whether there is more to do at once, or what to tell the operator.
enum Step {
    On,
    Stop { next: String, wait: bool },
}

fn stop(next: impl Into<String>) -> Step {
    Step::Stop { next: next.into(), wait: false }
}

fn wait(next: impl Into<String>) -> Step {
    Step::Stop { next: next.into(), wait: true }
}

/// Goes as far as can be gone now.
pub async fn go_on(
    context: &Context,
    mut restore: Restore,
    accept: bool,
    segments: Option<u32>,
    now: Timestamp,
) -> Result<Outcome, EventError> {
    let restored = context.restored(&restore);
    loop {
        let mut step = prepare(context, &restored, &mut restore).await?;
        if matches!(step, Step::On) {
            let work = Work { context, restored: &restored, restore: &restore, now };
            let Some(found) = work.whole(segments).await? else {
                restore.share(context, segments).await?;
                let next = "each part of this step; then call again";
                return Ok(Outcome { parts: segments, ..restore.says(next, false) });
            };
            step = conclude(context, &restored, &mut restore, found, accept, now).await?;
        }
        if let Step::Stop { next, wait } = step {
            return Ok(restore.says(&next, wait));
        }
    }
}

/// Sees to it that a step can be gone through.
async fn prepare(
    context: &Context,
    restored: &Operator,
    restore: &mut Restore,
) -> Result<Step, EventError> {
    match restore.state {
        RestoreState::Filling => fill(context, restored, restore).await,
        RestoreState::Erased => wait_for_bucket(context, restore).await,
        RestoreState::Ready if !context.is_switched(restore) => {
            let switch = &restore.restored_as;
            Ok(stop(format!(
                "switch: sam deploy --parameter-overrides RestoredAs={switch}, and keep it in \
                 samconfig.toml, or the next deployment goes back; then call again"
            )))
        }
        RestoreState::Abandoned => Ok(stop("nothing")),
        _ => Ok(Step::On),
    }
}

/// What follows from what a step has found.
async fn conclude(
    context: &Context,
    restored: &Operator,
    restore: &mut Restore,
    found: Part,
    accept: bool,
    now: Timestamp,
) -> Result<Step, EventError> {
    match restore.state {
        RestoreState::Filling => {
            restore.mended += found.mended;
            restore.advance(context, RestoreState::Mended).await?;
        }
        RestoreState::Mended => {
            restore.erased_again += found.erased_again;
            restored.forget_again().await?;
            restore.advance(context, RestoreState::Erased).await?;
        }
        RestoreState::Erased => {
            restored.note_index_built(now).await?;
            return attach(context, restore, found, accept, now).await;
        }
        RestoreState::Attached => {
            let work = Work { context, restored, restore, now };
            let (run, findings) = work.judge(found).await?;
            return verify(context, restore, run, findings, accept).await;
        }
        RestoreState::Ready => {
            restore.erased_again += found.erased_again;
            restore.set_aside += found.set_aside;
            // And who was forgotten until the switch.
            restored.forget_again().await?;
            restore.advance(context, RestoreState::Done).await?;
            return Ok(stop(DONE));
        }
        RestoreState::Done => {
            restore.dangling = found.dangling.as_slice().into();
            restore.advance(context, RestoreState::Abandoned).await?;
            return Ok(stop(match found.dangling.len() {
                0 => {
                    "nothing: the service runs on the tables of before, and every appendix has its \
                      bytes"
                        .to_owned()
                }
                some => format!("{some} appendix versions have no bytes: see dangling"),
            }));
        }
        RestoreState::Abandoned => {}
    }
    Ok(Step::On)
}

/// Fills new tables, and protects them.
async fn fill(
    context: &Context,
    restored: &Operator,
    restore: &Restore,
) -> Result<Step, EventError> {
    let operator = &context.backups.operator;
    for kind in TableKind::ALL {
        let (source, target) = (operator.table_name(kind), restored.table_name(kind));
        match kind.restoration() {
            Restoration::FromThePast => operator.restore_table(source, target, restore.to).await?,
            Restoration::Empty => operator.create_table(target).await?,
            Restoration::Rebuilt | Restoration::None => {}
        }
    }
    for kind in new_tables() {
        let state = operator.table_state(restored.table_name(kind)).await?;
        if state.is_none_or(|state| !state.active) {
            return Ok(wait("call again: AWS is filling the new tables"));
        }
    }
    for kind in new_tables() {
        if !operator.protect(kind, restored.table_name(kind)).await? {
            return Ok(wait("call again: AWS is changing the new tables"));
        }
    }
    Ok(Step::On)
}

/// Completes what a copy has cut in two, and erases again what the ledger says was erased.
pub async fn make_whole(restored: &Operator, now: Timestamp) -> Result<(), EventError> {
    for kind in TableKind::all_with_revisions() {
        backup::mend(restored, kind, Segment::WHOLE).await?;
    }
    restored.erase_again(Segment::WHOLE, now).await?;
    restored.forget_again().await?;
    Ok(())
}

/// Waits for the copy of the bucket, where one is being made.
async fn wait_for_bucket(context: &Context, restore: &mut Restore) -> Result<Step, EventError> {
    let Some((bucket, job)) = &restore.bucket_copy else { return Ok(Step::On) };
    let job = context.backups.aws_backup.describe_restore_job().restore_job_id(job).send().await?;
    match job.status() {
        Some(RestoreJobStatus::Completed) => Ok(Step::On),
        Some(RestoreJobStatus::Pending | RestoreJobStatus::Running) => {
            Ok(wait("call again: AWS is restoring the bucket"))
        }
        _ => {
            tracing::error!(failed = 1, bucket, "the bucket could not be restored");
            restore.bucket_copy = None;
            restore.note(context).await?;
            Ok(stop("AWS could not restore the bucket: look at the job; call again"))
        }
    }
}

/// Every appendix version has its bytes, or what is left is looked for in the newest backup of the bucket, once.
async fn attach(
    context: &Context,
    restore: &mut Restore,
    found: Part,
    accept: bool,
    now: Timestamp,
) -> Result<Step, EventError> {
    restore.dangling = found.dangling.as_slice().into();
    if !found.dangling.is_empty() {
        // All of them, where the ledger has room for some.
        let key = format!("restores/{}/dangling-{}.json", restore.restored_as, now.millis());
        context.backups.evidence.keep(&key, serde_json::to_vec(&found.dangling)?).await?;
    }
    if found.dangling.is_empty() || accept {
        restore.advance(context, RestoreState::Attached).await?;
        return Ok(Step::On);
    }
    if restore.bucket_copy.is_some() {
        restore.note(context).await?;
        return Ok(stop("some bytes are in no backup: accept_findings goes on without them"));
    }
    restore.bucket_copies += 1;
    restore.bucket_copy = Some(restore_bucket(context, restore).await?);
    restore.note(context).await?;
    Ok(wait("call again: bytes are missing, and AWS is restoring the bucket beside"))
}

/// Starts to restore the newest backup of the bucket into a new one: its name and the job.
async fn restore_bucket(
    context: &Context,
    restore: &Restore,
) -> Result<(String, String), EventError> {
    let arn = format!("arn:aws:s3:::{}", context.backups.bucket.name());
    let points = recovery_points(&context.backups.aws_backup, &arn).await?;
    let newest = points.into_iter().max_by_key(|(at, _)| *at).map(|(_, point)| point);
    let newest = newest.ok_or("bytes are missing, and the bucket has no backup")?;
    let suffix = format!("{}-{}", restore.restored_as.to_lowercase(), restore.bucket_copies);
    let bucket = format!("{}-restored-{suffix}", context.name);
    let job = context
        .backups
        .aws_backup
        .start_restore_job()
        .recovery_point_arn(newest)
        .iam_role_arn(&context.role)
        .resource_type("S3")
        .metadata("DestinationBucketName", &bucket)
        .metadata("NewBucket", "true")
        .metadata("Encrypted", "false")
        .idempotency_token(format!("bucket-{suffix}"))
        .send()
        .await?;
    let job = job.restore_job_id.ok_or("AWS Backup names no job")?;
    Ok((bucket, job))
}

/// The new tables are what they should be, or an operator says that they will do.
async fn verify(
    context: &Context,
    restore: &mut Restore,
    against: Option<Timestamp>,
    findings: Findings,
    accept: bool,
) -> Result<Step, EventError> {
    restore.verified_against = against;
    // The new tables are held against themselves, so what is damaged is so on both sides.
    let damaged = findings.counts.get(&Cause::DamagedInUse).copied().unwrap_or(0);
    let faults = findings.faults() + damaged;
    restore.findings = findings;
    if faults > 0 && !accept {
        restore.note(context).await?;
        let found = restore.findings.in_short();
        return Ok(stop(format!(
            "the new tables are not what they should be ({found}): choose another moment, or \
             accept_findings"
        )));
    }
    restore.advance(context, RestoreState::Ready).await?;
    Ok(Step::On)
}
