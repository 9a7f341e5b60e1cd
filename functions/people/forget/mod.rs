//! Forgets a person who was removed from a company: name and address go, from the revisions of an earlier release too, and
//! what they did stays under their id. No restore brings them back. For an operator, by IAM; nothing of the API leads here.
//! Done again, it is done.

use backup::Manifest;
use domain::{CustomerId, Timestamp, UserId};
use runtime::{ConfigError, EventError, EventFunction, OperatorEnv};
use serde::{Deserialize, Serialize};
use store::operator::{BackupRun, Evidence, Link, LinkReason, Operator, Person};

/// What the operator sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    customer: CustomerId,
    user: UserId,
}

#[derive(Debug, Serialize)]
pub struct Outcome {
    customer: CustomerId,
    user: UserId,
    /// How many revisions had a name in them: the chain of evenings goes on without it.
    redacted: usize,
}

/// The database, and the evidence of earlier evenings.
pub struct Context {
    operator: Operator,
    evidence: Evidence,
}

impl Context {
    fn build(env: &OperatorEnv<'_>) -> Result<Self, ConfigError> {
        Ok(Self { operator: env.operator()?, evidence: env.evidence()? })
    }
}

pub const FUNCTION: EventFunction<Context, Event, Outcome> = EventFunction {
    name: "forget-person",
    build: Context::build,
    handle: |context, event| Box::pin(async move { handle(context, &event, runtime::now()).await }),
};

async fn handle(context: &Context, event: &Event, now: Timestamp) -> Result<Outcome, EventError> {
    let Context { operator, evidence } = context;
    let Event { customer, user } = *event;
    let person = operator.person(customer, user, now).await?;
    if !person.redactions.is_empty()
        && let Some(run) = operator.runs().await?.pop()
    {
        // Said first: an evening that comes in between goes on all the same.
        let link = link(evidence, &run, user, &person, now).await?;
        operator.note_link(&link).await?;
    }
    operator.forget(&person).await?;
    tracing::warn!(%customer, %user, "a person was forgotten");
    Ok(Outcome { customer, user, redacted: person.redactions.len() })
}

/// Why the chain goes on from another figure: the old one, and the new one.
async fn link(
    evidence: &Evidence,
    run: &BackupRun,
    user: UserId,
    person: &Person,
    now: Timestamp,
) -> Result<Link, EventError> {
    let manifest = Manifest::from_json(&evidence.read(&run.manifest).await?)?;
    let there = person.redactions.iter().filter(|it| it.changed_at < run.cut);
    Ok(Link {
        run: run.scheduled_at,
        reason: LinkReason::Forgotten,
        note: user.to_string(),
        accepted: Vec::new(),
        redacted: person.redactions.clone(),
        old: run.digest.clone(),
        new: manifest.without(there).summary.digest,
        noted_at: now,
    })
}
