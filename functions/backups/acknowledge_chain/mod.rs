//! Takes what is there as it is, after something that an evening before had is gone: the chain of evenings
//! goes on from the run that has found it. For an operator, by IAM; nothing of the API leads here. The row
//! of the ledger that this writes stays, with who has looked at what.

use std::time::Duration;

use backup::Findings;
use domain::Timestamp;
use runtime::clock::{self, CLOCKS_DIFFER};
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::operator::{BackupRun, Link, LinkReason, Operator};

use crate::resources::{Resource, in_use};
use crate::shapes::{Chain, InUse};

/// Enough to say what was found and what was done about it.
const NOTE_CHARS_MAX: usize = 1000;

/// What the operator sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When the run was scheduled that has found it; or one that was opened at a time still to come.
    run: Timestamp,
    /// Who has looked, what is gone, and what was done about it.
    note: String,
}

#[derive(Debug, Serialize)]
pub struct Outcome {
    /// False where it was acknowledged before.
    acknowledged: bool,
    run: Timestamp,
    reason: LinkReason,
    /// What the chain went on from before, and what it goes on from with the next evening.
    old: String,
    new: String,
}

pub const FUNCTION: EventFunction<Operator, Event, Outcome> = EventFunction {
    name: "acknowledge-chain",
    build: |env| env.operator(),
    handle: |operator, event| {
        Box::pin(async move { handle(operator, event, runtime::now(), clock::behind()).await })
    },
};

async fn handle(
    operator: &Operator,
    event: Event,
    now: Timestamp,
    behind: Duration,
) -> Result<Outcome, EventError> {
    let note = event.note.trim();
    if note.is_empty() || note.chars().count() > NOTE_CHARS_MAX {
        return Err(format!("note must have 1 to {NOTE_CHARS_MAX} characters").into());
    }
    let runs = operator.runs().await?;
    let run = runs.iter().find(|it| it.scheduled_at == event.run);
    let run = run.ok_or_else(|| format!("the ledger has no run of {}", event.run))?;
    let link = |run: &BackupRun, reason| Link {
        run: run.scheduled_at,
        reason,
        note: note.to_owned(),
        accepted: Vec::new(),
        redacted: Vec::new(),
        old: String::new(),
        new: String::new(),
        noted_at: now,
    };
    let mut in_use = in_use(operator).await?;
    in_use.retain(|(_, found)| !found.is_whole());
    let machine = now.before(behind).after(CLOCKS_DIFFER);
    let acknowledged = if run.opened_at > machine {
        let mut first = link(run, LinkReason::Clock);
        first.old.clone_from(&run.digest);
        // Whichever of them is named, the clock was wrong for all.
        for other in runs.iter().filter(|it| it.opened_at > machine && it.cut != run.cut) {
            operator.note_link(&link(other, LinkReason::Clock)).await?;
        }
        first
    } else {
        let gone = what_is_gone(operator, run, &in_use).await?;
        let whole = runs.iter().rfind(|it| it.holds != Some(false) && it.cut < run.cut);
        Link {
            // Of what is not there any more from evening to evening, the figures tell; this is found by its
            // key.
            accepted: gone.names().collect(),
            old: whole.map_or_else(String::new, |it| it.digest.clone()),
            new: run.digest.clone(),
            ..link(run, LinkReason::Acknowledged)
        }
    };
    let first = operator.note_link(&acknowledged).await?;
    // What the night has found by its key is accepted, too.
    let accepted = acknowledged.accepted.iter().map(String::as_str).collect();
    for (resource, mut found) in in_use {
        found.findings.accept(&accepted);
        operator.note_policy(&InUse::name(resource.name()), now, &found).await?;
    }
    let Link { run, reason, old, new, .. } = acknowledged;
    if first {
        tracing::warn!(%run, note, "the chain goes on from a figure that was acknowledged");
    }
    Ok(Outcome { acknowledged: first, run, reason, old, new })
}

/// What the newest run has found, which has to be this one, and the night after it.
async fn what_is_gone(
    operator: &Operator,
    run: &BackupRun,
    in_use: &[(Resource, InUse)],
) -> Result<Findings, EventError> {
    let chain: Option<Chain> = operator.policy_of(Chain::NAME).await?;
    let chain = chain.ok_or("there was no evening yet")?;
    let run = run.scheduled_at;
    if chain.run != run {
        return Err(format!("the newest run is that of {}: acknowledge that one", chain.run).into());
    }
    if chain.holds && in_use.is_empty() {
        return Err(format!("the run of {run} has found nothing gone").into());
    }
    let mut gone = chain.findings;
    in_use.iter().for_each(|(_, found)| gone.merge(found.findings.clone()));
    Ok(gone)
}
