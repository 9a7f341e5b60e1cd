//! Every evening at 18:00, when AWS Backup starts too: adds up every revision that is kept into the
//! manifest that the night's backup will have to match.

use std::time::Duration;

use backup::Manifest;
use domain::Timestamp;
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::operator::{BackupRun, Evidence, Operator};

/// Longer than a request may take, sent slowly and answered late: what was begun before the cut has
/// been committed or given up by the time that the run opens.
const CUT_BEFORE: Duration = Duration::from_secs(5 * 60);

/// What EventBridge Scheduler sends of it.
#[derive(Debug, Deserialize)]
pub struct Event {
    scheduled_at: Timestamp,
    /// Nobody is writing: the cut is the scheduled time itself. The Scheduler never says so.
    #[serde(default)]
    quiet: bool,
}

#[derive(Debug, Serialize)]
pub struct Outcome {
    /// False where an earlier event has opened the run.
    opened: bool,
    cut: Timestamp,
    manifest: String,
    revisions: u64,
    digest: String,
    /// Items that are not as they were written: somebody has to look at them.
    damaged: u64,
}

pub const FUNCTION: EventFunction<(Operator, Evidence), Event, Outcome> = EventFunction {
    name: "open-backup-run",
    build: |env| Ok((env.operator()?, env.evidence()?)),
    handle: |(operator, evidence), event| {
        Box::pin(async move { handle(operator, evidence, &event, runtime::now()).await })
    },
};

pub async fn handle(
    operator: &Operator,
    evidence: &Evidence,
    event: &Event,
    now: Timestamp,
) -> Result<Outcome, EventError> {
    let scheduled_at = event.scheduled_at;
    if scheduled_at > now {
        return Err(format!("scheduled_at is {scheduled_at}, which lies ahead of {now}").into());
    }
    let before = if event.quiet { Duration::ZERO } else { CUT_BEFORE };
    let manifest = backup::manifest(operator, scheduled_at.before(before)).await?;
    if manifest.summary.damaged > 0 {
        let keys: Vec<&str> = manifest.damaged_keys().collect();
        let (damaged, cause) = (manifest.summary.damaged, keys.join(", "));
        tracing::error!(damaged, failed = 1, cause, "items are not as they were written");
    }
    let key = format!("manifests/{scheduled_at}.json");
    let kept = evidence.keep(&key, manifest.to_json()).await?;
    let Manifest { cut, summary: kept, .. } = Manifest::from_json(&kept)?;
    let run = BackupRun {
        scheduled_at,
        cut,
        opened_at: now,
        manifest: key,
        revisions: kept.revisions,
        digest: kept.digest,
    };
    let opened = operator.note_run(&run).await?;
    let BackupRun { cut, manifest, revisions, digest, .. } = run;
    Ok(Outcome { opened, cut, manifest, revisions, digest, damaged: kept.damaged })
}
