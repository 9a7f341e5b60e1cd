//! Every evening at 18:00, when AWS Backup starts too: adds up every revision that is kept into the
//! manifest that the night's backup will have to match, and holds all that is from before an earlier
//! evening against that evening's: data that has vanished since is found now.
//!
//! Where there is more than one function can read, the state machine of infra/verify.yaml shares it out: the same
//! event comes once for each segment, whose sums are kept, and then once more to put them together.

mod chain;

use std::time::Duration;

use backup::{Base, Evening, EveningPart, Manifest};
use domain::Timestamp;
use runtime::{ConfigError, EventError, EventFunction, OperatorEnv};
use serde::{Deserialize, Serialize};
use store::TableKind;
use store::operator::{BackupRun, Evidence, Operator, Segment};

use super::documents::document_digest;
use super::traces::Tracing;
use crate::shapes::Chain;
pub use chain::redacted_since;
use chain::{Clock, Earlier, Ground};

/// Longer than a request may take, sent slowly and answered late: what was begun before the cut has
/// been committed or given up by the time that the run opens.
const CUT_BEFORE: Duration = Duration::from_secs(5 * 60);

/// One after the other, they see to it that each earlier document is read again.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What EventBridge Scheduler sends of it.
#[derive(Debug, Deserialize)]
pub struct Event {
    scheduled_at: Timestamp,
    /// Nobody is writing: the cut is the scheduled time itself. The Scheduler never says so.
    #[serde(default)]
    quiet: bool,
    /// Only add up this part of each table, and keep its sums.
    segment: Option<Segment>,
    /// So many parts were added up: put them together.
    segments: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// The sums of a part are kept.
    Part {
        segment: Segment,
    },
    Opened(Box<Opened>),
}

#[derive(Debug, Serialize)]
pub struct Opened {
    /// False where an earlier event has opened the run.
    opened: bool,
    cut: Timestamp,
    manifest: String,
    revisions: u64,
    digest: String,
    /// Items that are not as they were written: somebody has to look at them.
    damaged: u64,
    /// Of each table the first hundred.
    damaged_keys: Vec<String>,
    chain: Chain,
    /// Two times that cannot both be right.
    clock: Option<Clock>,
}

/// What the function needs.
pub struct Context {
    pub operator: Operator,
    pub evidence: Evidence,
    pub tracing: Tracing,
}

pub const FUNCTION: EventFunction<Context, Event, Outcome> = EventFunction {
    name: "open-backup-run",
    build: Context::build,
    handle: |context, event| {
        Box::pin(
            async move { handle(context, &event, runtime::now(), runtime::clock::behind()).await },
        )
    },
};

impl Context {
    pub fn build(env: &OperatorEnv<'_>) -> Result<Self, ConfigError> {
        let (operator, evidence) = (env.operator()?, env.evidence()?);
        Ok(Self { operator, evidence, tracing: Tracing::build(env)? })
    }
}

pub async fn handle(
    context: &Context,
    event: &Event,
    now: Timestamp,
    behind: Duration,
) -> Result<Outcome, EventError> {
    let Context { operator, evidence, .. } = context;
    let scheduled_at = event.scheduled_at;
    if scheduled_at > now {
        return Err(format!("scheduled_at is {scheduled_at}, which lies ahead of {now}").into());
    }
    let cut = scheduled_at.before(if event.quiet { Duration::ZERO } else { CUT_BEFORE });
    let key = format!("manifests/{scheduled_at}.json");
    let mut earlier = Earlier::of(operator, scheduled_at).await?;
    let mut findings = backup::Findings::default();
    earlier.take_up(operator, evidence, scheduled_at).await?;
    // Many look at parts, and one at what is looked at once.
    let is_whole = event.segment.is_none();
    if is_whole {
        let day = usize::try_from(scheduled_at.millis() / DAY_MS).unwrap_or_default();
        earlier.documents().check(evidence, &key, day, &mut findings).await?;
    }
    let clock = earlier.check_clock(operator, now, behind).await?;
    if let Some(Clock { machine, service }) = clock.as_ref().filter(|_| is_whole) {
        let cause = "clock";
        tracing::error!(failed = 1, cause, "it was {service} already, and now is {machine}");
    }
    let ground = earlier.ground(operator, evidence, cut, now, &mut findings).await?;
    if let Some(segment) = event.segment {
        let part = backup::evening_part(operator, cut, &ground.base, segment).await?;
        evidence.keep(&part_key(scheduled_at, segment), serde_json::to_vec(&part)?).await?;
        return Ok(Outcome::Part { segment });
    }

    let Evening { mut manifest, findings: found, discontinued } =
        add_up(context, event, cut, &ground.base).await?;
    findings.merge(found);
    findings.accept(&earlier.accepted());
    let damaged_keys: Vec<String> = manifest.damaged_keys().map(str::to_owned).collect();
    if manifest.summary.damaged > 0 {
        let (damaged, cause) = (manifest.summary.damaged, damaged_keys.join(", "));
        tracing::error!(damaged, failed = 1, cause, "items are not as they were written");
    }
    manifest.previous = earlier.previous(evidence).await?;

    let kept = evidence.keep(&key, manifest.to_json()).await?;
    let document = document_digest(&kept);
    let Manifest { cut, summary: kept, .. } = Manifest::from_json(&kept)?;
    let run = BackupRun {
        scheduled_at,
        cut,
        opened_at: now,
        manifest: key,
        revisions: kept.revisions,
        digest: kept.digest,
        document: Some(document),
        holds: Some(findings.faults() == 0),
        of: operator.tables().records.clone(),
    };
    let opened = operator.note_run(&run).await?;
    let traced = trace(context, &ground, &run, &discontinued).await;
    let chain = Chain { findings, traced, ..Chain::beginning_with(run.scheduled_at) };
    let chain = note_chain(operator, &run, ground.since, chain, now).await?;
    let BackupRun { cut, manifest, revisions, digest, .. } = run;
    let damaged = kept.damaged;
    let opened =
        Opened { opened, cut, manifest, revisions, digest, damaged, damaged_keys, chain, clock };
    Ok(Outcome::Opened(Box::new(opened)))
}

/// Reads everything, or what the parts have come to.
async fn add_up(
    context: &Context,
    event: &Event,
    cut: Timestamp,
    base: &Base,
) -> Result<Evening, EventError> {
    let Context { operator, evidence, .. } = context;
    let Some(of) = event.segments else { return Ok(backup::evening(operator, cut, base).await?) };
    let mut whole = EveningPart::default();
    for index in 0..of {
        let key = part_key(event.scheduled_at, Segment { index, of });
        whole.merge(serde_json::from_slice(&evidence.read(&key).await?)?);
    }
    Ok(backup::conclude(operator, cut, base, whole).await?)
}

fn part_key(run: Timestamp, Segment { index, of }: Segment) -> String {
    format!("parts/{run}/{index}-of-{of}.json")
}

/// Has what was there restored beside, so that what is gone can be named: the tables of which there is a
/// backup. That it is gone is known without.
async fn trace(
    context: &Context,
    ground: &Ground,
    run: &BackupRun,
    tables: &[TableKind],
) -> Vec<String> {
    let mut traced = Vec::new();
    for kind in tables {
        let Some(base) = ground.run_of(*kind) else { continue };
        let started = context.tracing.start(&context.operator, *kind, run.scheduled_at, base).await;
        match started {
            Ok(true) => traced.push(kind.name().to_owned()),
            Ok(false) => {
                let table = kind.name();
                tracing::error!(failed = 1, table, "what is gone is in no backup of that evening");
            }
            Err(cause) => {
                let (table, cause) = (kind.name(), cause.to_string());
                tracing::error!(failed = 1, table, cause, "what is gone could not be named");
            }
        }
    }
    traced
}

/// Says whether the chain holds, and rings if it does not.
async fn note_chain(
    operator: &Operator,
    run: &BackupRun,
    base: Option<Timestamp>,
    chain: Chain,
    now: Timestamp,
) -> Result<Chain, EventError> {
    let earlier: Option<Chain> = operator.policy_of(Chain::NAME).await?;
    let holds = chain.findings.faults() == 0;
    let since = match (base, &earlier) {
        (Some(base), Some(earlier)) => earlier.since_of(base),
        (Some(base), None) => Some(base),
        (None, _) => holds.then_some(run.cut),
    };
    let broken_at = earlier.and_then(|it| it.broken_at).unwrap_or(run.cut);
    let chain = Chain { holds, since, broken_at: (!holds).then_some(broken_at), ..chain };
    operator.note_policy(Chain::NAME, now, &chain).await?;
    if !holds {
        let cause = chain.findings.in_short();
        tracing::error!(failed = 1, cause, "what was there an evening before is not there now");
    }
    Ok(chain)
}
