//! Every evening at 18:00, when AWS Backup starts too: adds up all that is kept into the manifest that
//! the night's backup will have to match.

use std::time::Duration;

use domain::Timestamp;
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::{BackupRun, Evidence, Store};

/// Longer than any other function may run: what was begun before the cut has been committed or given
/// up by the time that the run opens.
const CUT_BEFORE: Duration = Duration::from_secs(60);

/// What EventBridge Scheduler sends of it.
#[derive(Debug, Deserialize)]
pub struct Event {
    scheduled_at: Timestamp,
}

#[derive(Debug, Serialize)]
pub struct Opened {
    /// False where an earlier event did it.
    now: bool,
    cut: Timestamp,
    manifest: String,
    revisions: u64,
    digest: String,
    /// Items that are not as they were written: somebody has to look at them.
    damaged: usize,
}

/// What the function is made of and what it does.
pub const FUNCTION: EventFunction<(Store, Evidence), Event, Opened> = EventFunction {
    build: |env| Ok((env.store()?, env.evidence()?)),
    handle: |(store, evidence), event| {
        Box::pin(async move { handle(store, evidence, &event, runtime::now()).await })
    },
};

pub async fn handle(
    store: &Store,
    evidence: &Evidence,
    event: &Event,
    now: Timestamp,
) -> Result<Opened, EventError> {
    let scheduled_at = event.scheduled_at;
    if scheduled_at > now {
        return Err(format!("scheduled_at is {scheduled_at}, which lies ahead of {now}").into());
    }
    let manifest = backup::manifest(store, scheduled_at.before(CUT_BEFORE)).await?;
    for key in manifest.damaged() {
        tracing::error!(cause = key, "an item is not as it was written");
    }
    let run = BackupRun {
        scheduled_at,
        cut: manifest.cut,
        opened_at: now,
        revisions: manifest.all().count,
        digest: manifest.all().digest(),
    };
    let now = evidence.open_run(&run, manifest.to_json()).await?;
    Ok(Opened {
        now,
        cut: run.cut,
        manifest: run.manifest_key(),
        revisions: run.revisions,
        digest: run.digest,
        damaged: manifest.damaged().count(),
    })
}
