//! Takes what is there as it is, after something that an evening before had is gone: the chain of evenings
//! goes on from the run that has found it. For an operator, by IAM; nothing of the API leads here. The row
//! of the ledger that this writes stays, with who has looked at what.

use domain::Timestamp;
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::operator::{Link, LinkReason, Operator};

use crate::shapes::Chain;

/// Enough to say what was found and what was done about it.
const NOTE_CHARS_MAX: usize = 1000;

/// What the operator sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When the run was scheduled that has found it.
    run: Timestamp,
    /// Who has looked, what is gone, and what was done about it.
    note: String,
}

#[derive(Debug, Serialize)]
pub struct Outcome {
    /// False where it was acknowledged before.
    acknowledged: bool,
    run: Timestamp,
    /// What the chain went on from before, and what it goes on from with the next evening.
    old: String,
    new: String,
}

pub const FUNCTION: EventFunction<Operator, Event, Outcome> = EventFunction {
    name: "acknowledge-chain",
    build: |env| env.operator(),
    handle: |operator, event| {
        Box::pin(async move { handle(operator, event, runtime::now()).await })
    },
};

async fn handle(operator: &Operator, event: Event, now: Timestamp) -> Result<Outcome, EventError> {
    let note = event.note.trim();
    if note.is_empty() || note.chars().count() > NOTE_CHARS_MAX {
        return Err(format!("note must have 1 to {NOTE_CHARS_MAX} characters").into());
    }
    let chain: Option<Chain> = operator.policy_of(Chain::NAME).await?;
    let chain = chain.ok_or("there was no evening yet")?;
    if chain.run != event.run {
        return Err(format!("the newest run is that of {}: acknowledge that one", chain.run).into());
    }
    if chain.holds {
        return Err(format!("the run of {} has found nothing gone", event.run).into());
    }
    let runs = operator.runs().await?;
    let run = runs.iter().find(|it| it.scheduled_at == event.run);
    let run = run.ok_or_else(|| format!("the ledger has no run of {}", event.run))?;
    let whole = runs.iter().rfind(|it| it.holds != Some(false) && it.cut < run.cut);
    let link = Link {
        run: run.scheduled_at,
        reason: LinkReason::Acknowledged,
        note: note.to_owned(),
        // Of what is not there any more from evening to evening, the figures tell; this is found by its key.
        accepted: chain.findings.names().collect(),
        old: whole.map_or_else(String::new, |it| it.digest.clone()),
        new: run.digest.clone(),
        noted_at: now,
    };
    let acknowledged = operator.note_link(&link).await?;
    if acknowledged {
        tracing::warn!(run = %link.run, note, "the chain goes on from a figure that was acknowledged");
    }
    let Link { run, old, new, .. } = link;
    Ok(Outcome { acknowledged, run, old, new })
}
