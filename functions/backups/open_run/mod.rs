//! Every evening at 18:00, when AWS Backup starts too: adds up every revision that is kept into the
//! manifest that the night's backup will have to match, and holds all that is from before an earlier
//! evening against that evening's: data that has vanished since is found now.

mod chain;

use std::time::Duration;

use backup::{Evening, Manifest, Previous};
use domain::Timestamp;
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::operator::{BackupRun, Evidence, Operator};

use crate::shapes::Chain;
use chain::Earlier;

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
    chain: Chain,
    /// When an earlier run was opened, if that was later than now: one of the two clocks was wrong.
    clock: Option<Timestamp>,
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
    let cut = scheduled_at.before(if event.quiet { Duration::ZERO } else { CUT_BEFORE });
    let key = format!("manifests/{scheduled_at}.json");
    let earlier = Earlier::of(operator, scheduled_at).await?;
    let mut findings = backup::Findings::default();
    earlier.check_evidence(evidence, &key, &mut findings).await?;
    let ground = earlier.ground(operator, evidence, cut, now, &mut findings).await?;
    if let Some(later) = ground.clock {
        tracing::error!(
            failed = 1,
            cause = "clock",
            "an earlier run was opened at {later}, and now is {now}"
        );
    }

    let Evening { mut manifest, findings: found } =
        backup::evening(operator, cut, &ground.base).await?;
    findings.merge(found);
    findings.accept(&earlier.accepted());
    if manifest.summary.damaged > 0 {
        let keys: Vec<&str> = manifest.damaged_keys().collect();
        let (damaged, cause) = (manifest.summary.damaged, keys.join(", "));
        tracing::error!(damaged, failed = 1, cause, "items are not as they were written");
    }
    if let Some(last) = earlier.last()
        && let Some(bytes) = evidence.find(&last.manifest).await?
    {
        let document = chain::document_digest(&bytes);
        manifest.previous = Some(Previous { key: last.manifest.clone(), document });
    }

    let kept = evidence.keep(&key, manifest.to_json()).await?;
    let document = chain::document_digest(&kept);
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
    let chain = note_chain(operator, &run, ground.since, findings, now).await?;
    let BackupRun { cut, manifest, revisions, digest, .. } = run;
    let (damaged, clock) = (kept.damaged, ground.clock);
    Ok(Outcome { opened, cut, manifest, revisions, digest, damaged, chain, clock })
}

/// Says whether the chain holds, and rings if it does not.
async fn note_chain(
    operator: &Operator,
    run: &BackupRun,
    base: Option<Timestamp>,
    findings: backup::Findings,
    now: Timestamp,
) -> Result<Chain, EventError> {
    let earlier: Option<Chain> = operator.policy_of(Chain::NAME).await?;
    let holds = findings.faults() == 0;
    let since = match (base, &earlier) {
        (Some(base), Some(earlier)) => earlier.since_of(base),
        (Some(base), None) => Some(base),
        (None, _) => holds.then_some(run.cut),
    };
    let broken_at = earlier.and_then(|it| it.broken_at).unwrap_or(run.cut);
    let chain = Chain {
        holds,
        since,
        run: run.scheduled_at,
        broken_at: (!holds).then_some(broken_at),
        findings,
    };
    operator.note_policy(Chain::NAME, now, &chain).await?;
    if !holds {
        let cause = chain.findings.in_short();
        tracing::error!(failed = 1, cause, "what was there an evening before is not there now");
    }
    Ok(chain)
}
