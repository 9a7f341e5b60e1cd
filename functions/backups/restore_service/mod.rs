//! Restores the whole service to one second, into new tables beside the old ones. For an operator, by
//! IAM; nothing of the API leads here. Without `execute` it says what it would do. With it, each call
//! goes as far as it can and says what to do next: it may be cut off anywhere, and called again.
//! docs/runbooks/restore.md walks through it.

mod parts;
mod plan;
mod steps;

use domain::Timestamp;
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::operator::{Operator, Segment};
use store::{Objects, Store};

use crate::resources::Backups;
use crate::shapes::{RestoreReason, RestoreState};
use parts::Work;
use plan::{Names, Restore};
pub use steps::make_whole;

/// A state machine makes no longer list of numbers.
const SEGMENTS_MAX: u32 = 1000;

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
    /// Share each step out among so many functions, where one has not the time.
    segments: Option<u32>,
    /// Only do this part of the step that the restore stands at.
    segment: Option<Segment>,
}

#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Absent: nothing was done.
    pub state: Option<RestoreState>,
    /// Absent of a step that is shared out, for a state machine takes no long answers: to see it, send the same
    /// without `execute`.
    pub restore: Option<Restore>,
    /// What the operator does next.
    pub next: String,
    /// Call again, some time later: AWS is at work.
    pub wait: bool,
    /// Do so many parts: send the same with each `segment`, at the same time. Then call again.
    pub parts: Option<u32>,
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

impl Context {
    /// The restored tables, with the ledger in use.
    fn restored(&self, restore: &Restore) -> Operator {
        let operator = &self.backups.operator;
        operator.with_tables(restore.restored_tables(operator.tables()))
    }

    /// Whether the service runs on what was restored.
    fn is_switched(&self, restore: &Restore) -> bool {
        self.names.restored_as == restore.restored_as
    }
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
    handle: |context, event| {
        Box::pin(async move {
            let mut outcome = handle(context, &event, runtime::now()).await?;
            if event.segments.is_some() || event.segment.is_some() {
                outcome.restore = None;
            }
            Ok(outcome)
        })
    },
};

pub async fn handle(
    context: &Context,
    event: &Event,
    now: Timestamp,
) -> Result<Outcome, EventError> {
    if event.reason == RestoreReason::CustomerErased {
        return Err("what a customer has erased is not restored: the policy promises it".into());
    }
    if event.segments.is_some_and(|segments| !(1..=SEGMENTS_MAX).contains(&segments)) {
        return Err(format!("segments must be from 1 to {SEGMENTS_MAX}").into());
    }
    let all = context.backups.operator.restores::<Restore>().await?;
    if let Some(segment) = event.segment {
        return part(context, all, event, segment, now).await;
    }
    let ended = |it: &Restore| matches!(it.state, RestoreState::Done | RestoreState::Abandoned);
    let (ended, open): (Vec<Restore>, Vec<Restore>) = all.into_iter().partition(ended);
    // Asked again after its last step, whose answer was lost: the service runs on what it made.
    let in_use = |it: &&Restore| {
        it.to == event.to && it.state == RestoreState::Done && context.is_switched(it)
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
        // What was set aside for the restored tables comes back to those that are in use again.
        return steps::go_on(context, done.clone(), false, event.segments, now).await;
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
                let next = "send the same with \"execute\": true";
                return Ok(Outcome { state: None, ..restore.says(next, false) });
            }
            tracing::warn!(to = %restore.to, reason = ?restore.reason, "a restore begins");
            restore.note(context).await?;
            restore
        }
    };
    if !event.execute {
        return Ok(restore.says("send the same with \"execute\": true, to go on", false));
    }
    steps::go_on(context, restore, event.accept_findings, event.segments, now).await
}

/// Does one part of the step that a restore stands at.
async fn part(
    context: &Context,
    all: Vec<Restore>,
    event: &Event,
    segment: Segment,
    now: Timestamp,
) -> Result<Outcome, EventError> {
    let shared = |it: &Restore| it.to == event.to && it.shared == Some(segment.of);
    let restore = all.into_iter().find(shared).filter(|_| segment.index < segment.of);
    let restore = restore.ok_or("no step is shared out so: send the same without segment first")?;
    let restored = &context.restored(&restore);
    Work { context, restored, restore: &restore, now }.part(segment).await?;
    Ok(restore.says("the same without segment, once each part is done", false))
}
