//! The steps of a restore. Each can be done twice, and is noted when it is done.

use aws_sdk_backup::types::RestoreJobStatus;
use backup::{Base, Cause, Manifest, Summary, Verifier};
use domain::Timestamp;
use runtime::EventError;
use store::operator::Operator;
use store::{Restoration, TableKind};

use super::plan::{Restore, new_tables};
use super::{Context, Outcome};
use crate::appendices::store as store_appendix;
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
    now: Timestamp,
) -> Result<Outcome, EventError> {
    let tables = restore.restored_tables(context.backups.operator.tables());
    let restored = context.backups.operator.with_tables(tables);
    loop {
        let step = match restore.state {
            RestoreState::Filling => fill(context, &restored, &mut restore, now).await?,
            RestoreState::Erased => attach(context, &restored, &mut restore, accept, now).await?,
            RestoreState::Attached => verify(context, &restored, &mut restore, accept).await?,
            RestoreState::Ready => finish(context, &mut restore, now).await?,
            RestoreState::Done | RestoreState::Abandoned => stop("nothing"),
        };
        if let Step::Stop { next, wait } = step {
            return Ok(restore.says(&next, wait));
        }
    }
}

/// Fills new tables, protects them, completes what was cut in two, and erases again.
async fn fill(
    context: &Context,
    restored: &Operator,
    restore: &mut Restore,
    now: Timestamp,
) -> Result<Step, EventError> {
    let operator = &context.backups.operator;
    for kind in TableKind::ALL {
        let (source, target) = (operator.table_name(kind), restored.table_name(kind));
        match kind.restoration() {
            Restoration::FromThePast => operator.restore_table(source, target, restore.to).await?,
            Restoration::Empty => operator.create_table(target).await?,
            Restoration::None => {}
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
    let (mended, erased_again) = make_whole(restored, now).await?;
    restore.mended += mended;
    restore.erased_again += erased_again;
    let in_use = &context.backups.operator;
    restore.erased_again += backup::erase_what_is_erased_in_use(in_use, restored, now).await?;
    restore.advance(context, RestoreState::Erased).await?;
    Ok(Step::On)
}

/// Completes what a copy has cut in two, and erases again what the ledger says was erased. How many of each.
pub async fn make_whole(restored: &Operator, now: Timestamp) -> Result<(u64, u64), EventError> {
    let mut mended = 0;
    for kind in TableKind::ALL.into_iter().filter(|kind| kind.has_revisions()) {
        mended += backup::mend(restored, kind).await?;
    }
    Ok((mended, restored.erase_again(now).await?))
}

/// Sees to it that every appendix version has its bytes: from the bucket in use, where nothing is
/// ever deleted, or else from its newest backup.
async fn attach(
    context: &Context,
    restored: &Operator,
    restore: &mut Restore,
    accept: bool,
    now: Timestamp,
) -> Result<Step, EventError> {
    let copy = match &restore.bucket_copy {
        None => None,
        Some((bucket, job)) => {
            let job = context
                .backups
                .aws_backup
                .describe_restore_job()
                .restore_job_id(job)
                .send()
                .await?;
            match job.status() {
                Some(RestoreJobStatus::Completed) => Some(context.backups.bucket.copy(bucket)),
                Some(RestoreJobStatus::Pending | RestoreJobStatus::Running) => {
                    return Ok(wait("call again: AWS is restoring the bucket"));
                }
                _ => {
                    tracing::error!(failed = 1, bucket, "the bucket could not be restored");
                    restore.bucket_copy = None;
                    restore.note(context).await?;
                    return Ok(stop(
                        "AWS could not restore the bucket: look at the job; call again",
                    ));
                }
            }
        }
    };
    let dangling = backup::dangling(restored, &context.backups.bucket, copy.as_ref()).await?;
    restore.dangling = dangling.as_slice().into();
    if !dangling.is_empty() {
        // All of them, where the ledger has room for some.
        let all: Vec<String> = dangling.iter().map(ToString::to_string).collect();
        let key = format!("restores/{}/dangling-{}.json", restore.restored_as, now.millis());
        context.backups.evidence.keep(&key, serde_json::to_vec(&all)?).await?;
    }
    if restore.dangling.count == 0 || accept {
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

/// Holds the new tables against the newest manifest from before the moment, before anyone uses them.
async fn verify(
    context: &Context,
    restored: &Operator,
    restore: &mut Restore,
    accept: bool,
) -> Result<Step, EventError> {
    let run = context.backups.operator.run_before(restore.to).await?;
    restore.verified_against = run.as_ref().map(|run| run.scheduled_at);
    let manifest = match run {
        Some(run) => Manifest::from_json(&context.backups.evidence.read(&run.manifest).await?)?,
        // Of a service that is younger than its first evening: it has to agree with itself.
        None => Manifest {
            cut: Timestamp::from_millis(i64::MIN),
            summary: Summary { revisions: 0, digest: String::new(), damaged: 0 },
            tables: std::collections::BTreeMap::new(),
            previous: None,
        },
    };
    let verifier = Verifier {
        operator: restored,
        bucket: &context.backups.bucket,
        manifest: &manifest,
        looks_in_use: false,
    };
    restore.findings = backup::Findings::default();
    for kind in TableKind::all_from_the_past() {
        let report = verifier.table(kind, restored.table_name(kind)).await?;
        restore.findings.merge(report.findings);
    }
    // Between the manifest and the moment, only the tables themselves say what there was.
    let alone = Base::default();
    let evening = backup::evening(restored, restore.to, &alone).await?;
    restore.findings.merge(evening.findings.only(Cause::Gap));
    let in_use = &context.backups.operator;
    restore.findings.merge(backup::not_restored(in_use, restored, restore.to).await?);
    // The new tables are held against themselves, so what is damaged is so on both sides.
    let damaged = restore.findings.counts.get(&Cause::DamagedInUse).copied().unwrap_or(0);
    if restore.findings.faults() + damaged > 0 && !accept {
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

/// Once the service runs on the new tables, erases again what was erased until then, and makes room in
/// the bucket for what they will be given.
async fn finish(
    context: &Context,
    restore: &mut Restore,
    now: Timestamp,
) -> Result<Step, EventError> {
    if context.names.restored_as != restore.restored_as {
        let switch = &restore.restored_as;
        return Ok(stop(format!(
            "switch: sam deploy --parameter-overrides RestoredAs={switch}, and keep it in \
             samconfig.toml, or the next deployment goes back; then call again"
        )));
    }
    restore.erased_again += context.backups.operator.erase_again(now).await?;
    let (operator, bucket) = (&context.backups.operator, &context.backups.bucket);
    let unknown = backup::set_unclaimed_aside(operator, bucket).await?;
    restore.set_aside += unknown.aside;
    for key in &unknown.unnoted {
        store_appendix::note(&context.store, &context.objects, &key.to_string(), now).await?;
    }
    restore.advance(context, RestoreState::Done).await?;
    Ok(stop(DONE))
}

/// After the switch has been taken back: what was set aside for the restored tables is brought back to those
/// that are in use again.
pub async fn take_back(context: &Context, mut restore: Restore) -> Result<Outcome, EventError> {
    let (operator, bucket) = (&context.backups.operator, &context.backups.bucket);
    let dangling = backup::dangling(operator, bucket, None).await?;
    restore.dangling = dangling.as_slice().into();
    restore.advance(context, RestoreState::Abandoned).await?;
    let next = if dangling.is_empty() {
        "nothing: the service runs on the tables of before, and every appendix has its bytes"
            .to_owned()
    } else {
        format!("{} appendix versions have no bytes: see dangling", dangling.len())
    };
    Ok(restore.says(&next, false))
}
