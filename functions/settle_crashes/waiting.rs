//! The crashes that wait for Sentry.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use crashes::{Address, Answer, Envelope};
use domain::Timestamp;
use runtime::EventError;
use store::Held;

use super::deletions::Due;
use super::{Context, Outcome};

/// What Sentry has not taken for so long is not news any more.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Nobody waits for it.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// The rest is for the next hour: deletions come after it.
const ALL_WITHIN: Duration = Duration::from_secs(150);
/// After so many that Sentry does not take, the others of the project wait.
const FAILURES_MAX: u32 = 3;

/// Sends each, unless it is of an issue that is due, or too old: then it is deleted.
pub(super) async fn settle(
    context: &Context,
    due: &mut [Due],
    now: Timestamp,
    outcome: &mut Outcome,
) -> Result<(), EventError> {
    let started = Instant::now();
    let mut failures = BTreeMap::new();
    let mut from = None;
    loop {
        let page = context.bucket.list(from).await?;
        for held in page.held {
            let project = held.key.split('/').next().unwrap_or_default().to_owned();
            let failed: &mut u32 = failures.entry(project).or_default();
            let too_late = started.elapsed() > ALL_WITHIN;
            if too_late || (due.is_empty() && *failed >= FAILURES_MAX) {
                outcome.waiting += 1;
                continue;
            }
            if let Err(error) = settle_one(context, &held, due, failed, now, outcome).await {
                tracing::error!(cause = &*error as &dyn Error, "a crash was not looked at");
                outcome.waiting += 1;
            }
        }
        from = page.next;
        if from.is_none() {
            return Ok(());
        }
    }
}

async fn settle_one(
    context: &Context,
    held: &Held,
    due: &mut [Due],
    failed: &mut u32,
    now: Timestamp,
    outcome: &mut Outcome,
) -> Result<(), EventError> {
    if now.since(held.modified_at) > KEPT_FOR {
        context.bucket.delete(&held.key).await?;
        outcome.given_up += 1;
        return Ok(());
    }
    let Some(bytes) = context.bucket.read(&held.key).await? else { return Ok(()) };
    // Of a project that is not known any more, it waits until it is too old.
    let Ok(envelope) = Envelope::read(&bytes, Address::InHeaders, &context.devices) else {
        outcome.waiting += 1;
        return Ok(());
    };
    let of = |due: &&mut Due| held.modified_at <= due.since && envelope.tells_of(&due.issue);
    if let Some(due) = due.iter_mut().find(of) {
        context.bucket.delete(&held.key).await?;
        due.kept_here += 1;
        return Ok(());
    }
    if *failed >= FAILURES_MAX {
        outcome.waiting += 1;
        return Ok(());
    }
    match context.sentry.send(envelope.dsn(), bytes, SEND_WITHIN).await {
        Ok(Answer::Taken(_)) => {
            context.bucket.delete(&held.key).await?;
            outcome.sent += 1;
        }
        Ok(Answer::Refused { status }) => {
            tracing::warn!(status, "Sentry refused a crash that was kept");
            context.bucket.delete(&held.key).await?;
            outcome.given_up += 1;
        }
        Ok(Answer::TooMany(_)) => {
            *failed = FAILURES_MAX;
            outcome.waiting += 1;
        }
        Ok(Answer::Unknown { status }) => {
            tracing::error!(status, "Sentry does not know a project of ours");
            *failed = FAILURES_MAX;
            outcome.waiting += 1;
        }
        Err(cause) => {
            tracing::warn!(%cause, "Sentry does not take a crash yet");
            *failed += 1;
            outcome.waiting += 1;
        }
    }
    Ok(())
}
