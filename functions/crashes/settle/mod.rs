//! Every hour: what Sentry could not take is sent again, and the crashes of resolved issues are deleted,
//! at Sentry and here. Sentry does not repeat a webhook that failed, so it is asked for such issues too.

mod deletions;
mod waiting;

use std::time::Instant;

use crashes::{Api, KnownProjects, Sentry, Token};
use domain::Timestamp;
use runtime::{ConfigError, EventError, EventFunction, OperatorEnv};
use serde::{Deserialize, Serialize};
use store::Store;
use store::operator::{Operator, WaitingCrashes};

use crate::resources::{device_projects, projects};
use crate::shapes::CrashData;
use deletions::Resolved;

/// What EventBridge Scheduler sends of it: nothing.
#[derive(Debug, Deserialize)]
pub struct Event {}

/// What became of what.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Issues whose crashes were deleted.
    pub deleted: u64,
    /// Crashes that waited here and were sent.
    pub sent: u64,
    /// Those that are not waited for any longer: too old, or refused by Sentry.
    pub given_up: u64,
    /// Those that wait still.
    pub waiting: u64,
}

/// What the function needs.
pub struct Context {
    store: Store,
    operator: Operator,
    crashes: WaitingCrashes,
    /// Those that crashes of devices are sent to.
    devices: KnownProjects,
    /// All of ours.
    projects: KnownProjects,
    sentry: Sentry,
    /// `None`: no integration is configured, and nothing can be deleted.
    api: Option<Api>,
}

pub const FUNCTION: EventFunction<Context, Event, Outcome> = EventFunction {
    name: "settle-crashes",
    build,
    handle: |context, _| Box::pin(async move { handle(context, runtime::now()).await }),
};

fn build(env: &OperatorEnv<'_>) -> Result<Context, ConfigError> {
    let projects = projects(env)?;
    let api = match (projects.first(), env.parsed_if_set::<Token>("SENTRY_TOKEN")?) {
        (Some(dsn), Some(token)) => {
            Some(Api::new(dsn, &env.required("SENTRY_ORGANIZATION")?, token))
        }
        _ => None,
    };
    Ok(Context {
        store: env.store()?,
        operator: env.operator()?,
        crashes: env.waiting_crashes()?,
        devices: device_projects(env)?,
        projects,
        sentry: Sentry::default(),
        api,
    })
}

pub async fn handle(context: &Context, now: Timestamp) -> Result<Outcome, EventError> {
    let started = Instant::now();
    let mut data: CrashData =
        context.operator.policy_of(CrashData::NAME).await?.unwrap_or_default();
    let mut outcome = Outcome::default();
    let mut resolved = match &context.api {
        Some(api) => deletions::resolved(context, api, now).await?,
        None => Resolved::default(),
    };
    // First here, then there, and only then are others sent: what has come since must not join what is
    // about to be deleted.
    waiting::discard(context, &mut resolved.issues, started, now).await?;
    if let Some(api) = &context.api {
        outcome.deleted = deletions::delete(context, api, &resolved, now).await?;
    }
    waiting::send(context, started, now, &mut outcome).await?;
    if outcome.given_up > 0 {
        tracing::error!(given_up = outcome.given_up, "crashes of devices were given up");
    }

    data.configured = context.api.is_some();
    if resolved.asked {
        data.asked_at = Some(now);
    }
    if outcome.deleted > 0 {
        data.last_deletion = Some(now);
        data.deleted += outcome.deleted;
    }
    data.resolved_since = context.operator.resolved().await?.into_iter().map(|(_, at)| at).min();
    data.waiting = outcome.waiting;
    context.operator.note_policy(CrashData::NAME, now, &data).await?;
    if data.is_overdue(now) {
        tracing::error!(failed = 1, "crashes of resolved issues are not deleted");
    }
    Ok(outcome)
}
