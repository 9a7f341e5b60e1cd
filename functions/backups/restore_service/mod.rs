//! Restores the whole service to one second, into new tables beside the old ones. For an operator, by
//! IAM; nothing of the API leads here. Without `execute` it says what it would do. With it, each call
//! goes as far as it can and says what to do next: it may be cut off anywhere, and called again.
//! docs/runbooks/restore.md walks through it.

mod plan;
mod steps;

use domain::Timestamp;
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::{Objects, Store};

use crate::resources::Backups;
use crate::shapes::{RestoreReason, RestoreState};
use plan::{Names, Restore};
pub use steps::make_whole;

/// What the operator sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The moment to go back to.
    to: Timestamp,
    reason: RestoreReason,
    /// False: only say what would be done.
    #[serde(default)]
    execute: bool,
    /// Go on in spite of what the verification found, or of bytes that are lost for good.
    #[serde(default)]
    accept_findings: bool,
    /// Give up what was begun, or take back what was done, once the service is switched back. The new tables
    /// stay, for somebody to look at.
    #[serde(default)]
    abandon: bool,
}

#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Absent: nothing was done.
    pub state: Option<RestoreState>,
    pub restore: Restore,
    /// What the operator does next.
    pub next: String,
    /// Call again, some time later: AWS is at work.
    pub wait: bool,
}

/// What the function needs.
pub struct Context {
    pub backups: Backups,
    /// In which the bucket is restored.
    pub role: String,
    /// What restored buckets are called: `NAME-restored-...`.
    pub name: String,
    pub names: Names,
    /// To note bytes that the restored tables do not know of.
    pub store: Store,
    pub objects: Objects,
}

pub const FUNCTION: EventFunction<Context, Event, Outcome> = EventFunction {
    name: "restore-service",
    build: |env| {
        Ok(Context {
            backups: Backups::build(env)?,
            role: env.required("RESTORE_ROLE")?,
            name: env.required("RESTORED_NAME")?,
            store: env.store()?,
            objects: env.objects()?,
            names: Names { restored_as: env.optional("RESTORED_AS").unwrap_or_default() },
        })
    },
    handle: |context, event| Box::pin(async move { handle(context, &event, runtime::now()).await }),
};

pub async fn handle(
    context: &Context,
    event: &Event,
    now: Timestamp,
) -> Result<Outcome, EventError> {
    if event.reason == RestoreReason::CustomerErased {
        return Err("what a customer has erased is not restored: the policy promises it".into());
    }
    let all = context.backups.operator.restores::<Restore>().await?;
    let ended = |it: &Restore| matches!(it.state, RestoreState::Done | RestoreState::Abandoned);
    let (ended, open): (Vec<Restore>, Vec<Restore>) = all.into_iter().partition(ended);
    // Asked again after its last step, whose answer was lost: the service runs on what it made.
    let in_use = |it: &&Restore| {
        it.to == event.to
            && it.state == RestoreState::Done
            && it.restored_as == context.names.restored_as
    };
    if let Some(done) = ended.iter().find(in_use) {
        return Ok(done.clone().says(steps::DONE, false));
    }
    let restore = match open.into_iter().max_by_key(|it| it.opened_at) {
        Some(open) if open.to == event.to => Some(open),
        Some(open) if event.execute || event.abandon => {
            let (to, state) = (open.to, open.state);
            let what = format!("a restore to {to} is {state:?}: go on with it, or abandon it");
            return Err(what.into());
        }
        _ => None,
    };
    if event.abandon
        && let Some(done) =
            ended.iter().find(|it| it.to == event.to && it.state == RestoreState::Done)
    {
        return steps::take_back(context, done.clone()).await;
    }
    if event.abandon {
        let mut restore = restore.ok_or("there is no restore to abandon")?;
        restore.advance(context, RestoreState::Abandoned).await?;
        return Ok(restore.says("nothing: the service goes on as it is", false));
    }
    let restore = match restore {
        Some(restore) => restore,
        None => {
            let earlier = ended.iter().find(|it| it.to == event.to);
            let plan = plan::plan(context, event.to, event.reason, &ended, now).await?;
            let mut restore = plan.after(earlier);
            if !event.execute {
                let state = None;
                let next = "send the same with \"execute\": true".to_owned();
                return Ok(Outcome { state, restore, next, wait: false });
            }
            tracing::warn!(to = %restore.to, reason = ?restore.reason, "a restore begins");
            restore.note(context).await?;
            restore
        }
    };
    if !event.execute {
        let next = "send the same with \"execute\": true, to go on".to_owned();
        return Ok(Outcome { state: Some(restore.state), restore, next, wait: false });
    }
    steps::go_on(context, restore, event.accept_findings, now).await
}
