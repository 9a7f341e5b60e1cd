//! Names what is gone. Where the chain of evenings is broken, open_run has AWS Backup restore, beside, what
//! was there on the evening that was whole; AWS Backup's "Restore Job State Change" comes here, and what is
//! in use is held against that item by item. What is found is kept in the evidence.

use backup::{Findings, Manifest};
use domain::Timestamp;
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::TableKind;

use super::traces::{Names, Trace};
use crate::resources::{Backups, Resource, name_of};
use crate::shapes::Chain;

/// What EventBridge sends of a restore; or what an operator asks.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Event {
    Ended {
        detail: Detail,
    },
    /// What has been named of a run so far.
    Asked {
        run: Timestamp,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    restore_job_id: String,
    status: String,
    /// Absent where it failed.
    #[serde(default)]
    created_resource_arn: String,
    #[serde(default)]
    source_resource_arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    Named(Trace),
    /// No restore that was made to name what is gone.
    NotOurs,
    /// What was named, and the tables that are not looked at yet.
    SoFar {
        traces: Vec<Trace>,
        waiting: Vec<String>,
    },
}

/// What the function needs.
pub struct Context {
    backups: Backups,
    names: Names,
}

pub const FUNCTION: EventFunction<Context, Event, Outcome> = EventFunction {
    name: "trace-chain",
    build: |env| Ok(Context { backups: Backups::build(env)?, names: Names::build(env)? }),
    handle: |context, event| Box::pin(async move { handle(context, event).await }),
};

async fn handle(context: &Context, event: Event) -> Result<Outcome, EventError> {
    let Context { backups, names } = context;
    let detail = match event {
        Event::Ended { detail } => detail,
        Event::Asked { run } => return so_far(backups, run).await,
    };
    let copy = name_of(&detail.created_resource_arn);
    let failed = detail.status != "COMPLETED";
    let named = match names.read(copy) {
        None if failed => waiting_for(backups, &detail.source_resource_arn).await?,
        named => named,
    };
    let Some((kind, run, base)) = named else { return Ok(Outcome::NotOurs) };
    let mut trace = Trace {
        run,
        base,
        table: kind.name().to_owned(),
        findings: Findings::default(),
        failed: None,
    };
    if !failed {
        trace.findings = losses(backups, kind, copy, base).await?;
        if trace.findings.counts.is_empty() {
            trace.failed =
                Some("the backup lacks what is gone, too: it is from after the loss".to_owned());
        }
    } else {
        let what = format!("restore job {} ended as {}", detail.restore_job_id, detail.status);
        trace.failed = Some(what);
    }
    let kept = backups.evidence.keep(&trace.key(), serde_json::to_vec(&trace)?).await?;
    let trace: Trace = serde_json::from_slice(&kept)?;
    let table = &trace.table;
    if let Some(cause) = &trace.failed {
        tracing::error!(failed = 1, table, cause, "what is gone could not be named");
    } else {
        let cause = trace.findings.in_short();
        tracing::error!(failed = 1, table, cause, "what is gone has been named");
    }
    if !failed {
        backups.operator.delete_table(copy).await?;
    }
    Ok(Outcome::Named(trace))
}

/// A restore that failed names no table that it has made: it may be what the newest evening waits for.
async fn waiting_for(
    backups: &Backups,
    source: &str,
) -> Result<Option<(TableKind, Timestamp, Timestamp)>, EventError> {
    let Some(Resource::Table(kind)) = backups.resource(source) else { return Ok(None) };
    let chain: Option<Chain> = backups.operator.policy_of(Chain::NAME).await?;
    let chain = chain.filter(|chain| chain.traced.iter().any(|table| table == kind.name()));
    Ok(chain.map(|chain| (kind, chain.run, chain.run)))
}

async fn losses(
    backups: &Backups,
    kind: TableKind,
    copy: &str,
    base: Timestamp,
) -> Result<Findings, EventError> {
    let runs = backups.operator.runs().await?;
    let run = runs.iter().find(|run| run.scheduled_at == base);
    let run = run.ok_or_else(|| format!("the ledger has no run of {base}"))?;
    let manifest = Manifest::from_json(&backups.evidence.read(&run.manifest).await?)?;
    Ok(backup::losses(&backups.operator, kind, copy, &manifest).await?)
}

async fn so_far(backups: &Backups, run: Timestamp) -> Result<Outcome, EventError> {
    let mut traces = Vec::new();
    for key in backups.evidence.keys(&Trace::prefix(run)).await? {
        traces.push(serde_json::from_slice::<Trace>(&backups.evidence.read(&key).await?)?);
    }
    let chain: Option<Chain> = backups.operator.policy_of(Chain::NAME).await?;
    let mut waiting = chain.filter(|it| it.run == run).map_or_else(Vec::new, |it| it.traced);
    waiting.retain(|table| traces.iter().all(|trace| trace.table != *table));
    Ok(Outcome::SoFar { traces, waiting })
}
