//! Every hour: whether all that backups stand on is as it should be, and how old the last verified one
//! is. What does not hold raises the alarm, and shows at `GET /v1/policy`.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_backup::types::RecoveryPointStatus;
use backup::{APPENDICES, EVIDENCE};
use domain::Timestamp;
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::TableKind;
use store::operator::{Bucket, RECOVERY_DAYS, Recovery};

use crate::resources::{Backups, Resource, date_of, in_use, time_of};
use crate::shapes::{
    Audit, Chain, RESTORED_WEEKLY_WITHIN, VERIFIED_WITHIN, VerifiedBackup, WEEKLY_RESTORE,
    WeeklyRestore,
};

/// As old as any: no backup was ever verified.
const NEVER: Duration = Duration::from_secs(9_999 * 60 * 60);
/// A job may start an hour late and take eight.
const BACKED_UP_WITHIN: Duration = Duration::from_secs(33 * 60 * 60);
/// And the copy after it takes as long again.
const COPIED_WITHIN: Duration = Duration::from_secs(42 * 60 * 60);
/// So far back recovery points are listed.
const LISTED_WITHIN: Duration = Duration::from_secs(3 * 24 * 60 * 60);
const REGION: &str = "eu-central-1";

/// What EventBridge Scheduler sends of it: nothing.
#[derive(Debug, Deserialize)]
pub struct Event {}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    pub checks: usize,
    pub broken: Vec<String>,
}

/// What the function needs.
pub struct Context {
    backups: Backups,
    vault: String,
    air_gapped_vault: String,
}

pub const FUNCTION: EventFunction<Context, Event, Outcome> = EventFunction {
    name: "audit-backups",
    build: |env| {
        Ok(Context {
            backups: Backups::build(env)?,
            vault: env.required("BACKUP_VAULT")?,
            air_gapped_vault: env.required("AIR_GAPPED_VAULT")?,
        })
    },
    handle: |context, _| Box::pin(async move { handle(context, runtime::now()).await }),
};

pub async fn handle(context: &Context, now: Timestamp) -> Result<Outcome, EventError> {
    let mut audit = Audit::default();
    for kind in TableKind::ALL {
        check_table(context, kind, &mut audit).await?;
    }
    for (name, bucket) in [
        (APPENDICES, context.backups.bucket.clone()),
        (EVIDENCE, context.backups.bucket.copy(context.backups.evidence.bucket())),
    ] {
        check_bucket(name, &bucket, &mut audit).await;
    }
    check_vaults(context, &mut audit).await;
    check_index(context, &mut audit).await?;
    check_settings(context, &mut audit).await?;
    check_freshness(context, now, &mut audit).await?;
    check_chain(context, &mut audit).await?;
    check_recovery_points(context, now, &mut audit).await?;
    context.backups.operator.note_policy(Audit::NAME, now, &audit).await?;
    let broken = audit.broken();
    if !broken.is_empty() {
        let cause = broken.join("; ");
        tracing::error!(failed = 1, cause, "the policy is not kept");
    }
    Ok(Outcome { checks: audit.checks.len(), broken })
}

async fn check_table(
    context: &Context,
    kind: TableKind,
    audit: &mut Audit,
) -> Result<(), EventError> {
    let (table, name) = (context.backups.operator.table_name(kind), kind.name());
    let Some(it) = context.backups.operator.table_state(table).await? else {
        // Each is a promise of its own.
        for what in ["protection", "region", "recovery"] {
            if what == "recovery" && !kind.is_backed_up() {
                continue;
            }
            audit.note(format!("{what} of {name}"), false, "there is no such table");
        }
        return Ok(());
    };
    let protected = if it.deletion_protected { "protected" } else { "can be deleted" };
    audit.note(format!("protection of {name}"), it.deletion_protected, protected);
    let region = region_of(&it.arn);
    audit.note(format!("region of {name}"), region == REGION, region);
    // What is made from other tables is made again: it has no past.
    if kind.is_backed_up() {
        check_recovery(name, it.recovery, audit);
    }
    if kind.expires() {
        let found = if it.expires { "on" } else { "off" };
        audit.note(format!("expiry of {name}"), it.expires, found);
    }
    Ok(())
}

fn check_recovery(name: &str, recovery: Option<Recovery>, audit: &mut Audit) {
    let kept = recovery.filter(|recovery| recovery.days >= RECOVERY_DAYS);
    let found = recovery.map_or("off".to_owned(), |recovery| {
        format!("{} days, from {} to {}", recovery.days, recovery.earliest, recovery.latest)
    });
    audit.note(format!("recovery of {name}"), kept.is_some(), found);
}

fn region_of(arn: &str) -> String {
    arn.split(':').nth(3).unwrap_or_default().to_owned()
}

async fn check_bucket(name: &str, bucket: &Bucket, audit: &mut Audit) {
    let Ok(it) = bucket.state().await else {
        for what in ["versions", "events", "zones"] {
            audit.note(format!("{what} of {name}"), false, "the bucket does not answer");
        }
        return;
    };
    let on = |holds| if holds { "on" } else { "off" };
    audit.note(format!("versions of {name}"), it.versioned, on(it.versioned));
    audit.note(format!("events of {name}"), it.announces, on(it.announces));
    let zones = if it.in_three_zones { "three zones" } else { "some are in one zone" };
    audit.note(format!("zones of {name}"), it.in_three_zones, zones);
}

async fn check_vaults(context: &Context, audit: &mut Audit) {
    for (name, vault) in
        [("vault", &context.vault), ("air-gapped vault", &context.air_gapped_vault)]
    {
        let name = format!("lock of the {name}");
        match context
            .backups
            .aws_backup
            .describe_backup_vault()
            .backup_vault_name(vault)
            .send()
            .await
        {
            Ok(it) if it.locked() == Some(true) => {
                let days = it.min_retention_days().unwrap_or(0);
                audit.note(name, true, format!("locked for {days} days"));
            }
            Ok(_) => audit.note(name, false, "not locked"),
            Err(_) => audit.note(name, false, "there is no such vault, or it does not answer"),
        }
    }
}

async fn check_settings(context: &Context, audit: &mut Audit) -> Result<(), EventError> {
    let settings = context.backups.aws_backup.describe_region_settings().send().await?;
    let managed = settings.resource_type_management_preference();
    let full = managed.and_then(|it| it.get("DynamoDB")).copied().unwrap_or(false);
    let found = if full { "on" } else { "off: recovery points of tables cannot be copied" };
    audit.note("AWS Backup's features for DynamoDB", full, found);
    Ok(())
}

/// Lists of a service that had none before miss what is older than they are, until somebody has them made.
async fn check_index(context: &Context, audit: &mut Audit) -> Result<(), EventError> {
    let built = context.backups.operator.is_index_built().await?;
    let found = if built { "made" } else { "not made yet: invoke build-index" };
    audit.note("index of records", built, found);
    Ok(())
}

/// What is gone stays an alarm until it is back or acknowledged.
async fn check_chain(context: &Context, audit: &mut Audit) -> Result<(), EventError> {
    let chain: Option<Chain> = context.backups.operator.policy_of(Chain::NAME).await?;
    // None before the first evening.
    let Some(chain) = chain else { return Ok(()) };
    let found = if chain.holds {
        chain.since.map_or("holds".to_owned(), |since| format!("holds since {since}"))
    } else {
        format!("broken, by the run of {}: {}", chain.run, chain.findings.in_short())
    };
    audit.note("chain of evenings", chain.holds, found);
    for (resource, found) in in_use(&context.backups.operator).await? {
        let (run, short) = (found.run, found.findings.in_short());
        let what = if found.is_whole() { "as it was".to_owned() } else { short };
        let name = format!("{} in use", resource.name());
        audit.note(name, found.is_whole(), format!("by {run}: {what}"));
    }
    Ok(())
}

/// Of everything, a backup of the last evening and its copy out of reach; and those of the evening before, which
/// were verified, are still there.
async fn check_recovery_points(
    context: &Context,
    now: Timestamp,
    audit: &mut Audit,
) -> Result<(), EventError> {
    let operator = &context.backups.operator;
    let verified: Option<VerifiedBackup> = operator.policy_of(VerifiedBackup::NAME).await?;
    // None before the first evening has been verified.
    let Some(verified) = verified else { return Ok(()) };
    // Nor of tables that a restore has made since.
    let run = operator.run_before(verified.run).await?;
    if run.is_none_or(|run| run.scheduled_at != verified.run) {
        return Ok(());
    }
    let points = recovery_points(context, &context.vault, now).await?;
    let copies = recovery_points(context, &context.air_gapped_vault, now).await?;
    for resource in Resource::all() {
        for (what, points, within) in
            [("backup", &points, BACKED_UP_WITHIN), ("copy", &copies, COPIED_WITHIN)]
        {
            let newest =
                points.iter().filter(|it| it.resource == Some(resource)).map(|it| it.at).max();
            let holds = newest.is_some_and(|at| now.since(at) <= within);
            let found = newest.map_or("none of late".to_owned(), |at| format!("of {at}"));
            audit.note(format!("{what} of {}", resource.name()), holds, found);
        }
    }
    let there: HashSet<&str> = points.iter().map(|it| it.arn.as_str()).collect();
    let of_run = operator.verifications(verified.run).await?;
    let gone = of_run.iter().filter(|it| !there.contains(it.recovery_point.as_str()));
    let gone: Vec<&str> = gone.map(|it| it.resource.as_str()).collect();
    // One that is older than what was listed says nothing here.
    if now.since(verified.run) < LISTED_WITHIN {
        let found = if gone.is_empty() { "all there".to_owned() } else { gone.join(", ") };
        audit.note("recovery points that were verified", gone.is_empty(), found);
    }
    Ok(())
}

/// A recovery point that is whole.
struct RecoveryPoint {
    arn: String,
    resource: Option<Resource>,
    at: Timestamp,
}

async fn recovery_points(
    context: &Context,
    vault: &str,
    now: Timestamp,
) -> Result<Vec<RecoveryPoint>, EventError> {
    let since = date_of(now.before(LISTED_WITHIN));
    let list = context.backups.aws_backup.list_recovery_points_by_backup_vault();
    let list = list.backup_vault_name(vault).by_created_after(since);
    let mut listed = list.into_paginator().items().send();
    let mut points = Vec::new();
    while let Some(point) = listed.next().await.transpose()? {
        if point.status() == Some(&RecoveryPointStatus::Completed) {
            points.push(RecoveryPoint {
                resource: point.resource_arn().and_then(|arn| context.backups.resource(arn)),
                arn: point.recovery_point_arn.unwrap_or_default(),
                at: time_of(point.creation_date).unwrap_or(Timestamp::from_millis(0)),
            });
        }
    }
    Ok(points)
}

async fn check_freshness(
    context: &Context,
    now: Timestamp,
    audit: &mut Audit,
) -> Result<(), EventError> {
    let newest: Option<VerifiedBackup> =
        context.backups.operator.policy_of(VerifiedBackup::NAME).await?;
    let age = newest.as_ref().map_or(NEVER, |newest| now.since(newest.verified_at));
    let found = newest.map_or("none was verified yet".to_owned(), |it| {
        format!("of {}, verified at {}", it.run, it.verified_at)
    });
    audit.note("verified backup", age <= VERIFIED_WITHIN, found);
    for resource in Resource::all().filter(|resource| !resource.is_proven_nightly()) {
        let name = WeeklyRestore::name(resource.name());
        let last: Option<WeeklyRestore> = context.backups.operator.policy_of(&name).await?;
        // None before the first evening has been verified.
        let Some(WeeklyRestore { since }) = last else { continue };
        let holds = now.since(since) <= RESTORED_WEEKLY_WITHIN;
        audit.note(format!("{WEEKLY_RESTORE}{}", resource.name()), holds, format!("since {since}"));
    }
    // A metric: an alarm is on what it says, and on its silence.
    tracing::info!(verified_age_hours = age.as_secs_f64() / 3600.0, "audited");
    Ok(())
}
