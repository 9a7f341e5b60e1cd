//! The crashes that wait for Sentry.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use crashes::{Address, Answer, Envelope, EnvelopeError};
use domain::Timestamp;
use runtime::EventError;
use store::operator::StoredObject;

use super::deletions::Due;
use super::{Context, Outcome};

/// What Sentry has not taken for so long is not news any more.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Nobody waits for it.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// For deleting what is of issues that are due, and for all of it: what is left over is for the next
/// hour. The function has 300 seconds, and deletes at Sentry in between.
const DISCARDED_WITHIN: Duration = Duration::from_secs(60);
const ALL_WITHIN: Duration = Duration::from_secs(200);
/// After so many that Sentry does not take, the others of the project wait.
const FAILURES_MAX: u32 = 3;

/// Deletes those that are of an issue which is due. What there is no time for comes to Sentry as news.
pub(super) async fn discard(
    context: &Context,
    due: &mut [Due],
    started: Instant,
    now: Timestamp,
) -> Result<(), EventError> {
    if due.is_empty() {
        return Ok(());
    }
    let mut from = None;
    loop {
        let page = context.crashes.list(from).await?;
        for held in page.objects.iter().filter(|held| !is_too_old(held, now)) {
            if started.elapsed() > DISCARDED_WITHIN {
                tracing::warn!("not every crash that waits was looked at");
                return Ok(());
            }
            if let Err(error) = discard_one(context, held, due).await {
                tracing::error!(cause = &*error as &dyn Error, "a crash was not looked at");
            }
        }
        from = page.next;
        if from.is_none() {
            return Ok(());
        }
    }
}

async fn discard_one(
    context: &Context,
    held: &StoredObject,
    due: &mut [Due],
) -> Result<(), EventError> {
    let Some(bytes) = context.crashes.read(&held.key).await? else { return Ok(()) };
    let Ok(envelope) = read(context, &bytes) else { return Ok(()) };
    let of = |due: &&mut Due| held.modified_at <= due.since && envelope.tells_of(&due.issue);
    if let Some(due) = due.iter_mut().find(of) {
        context.crashes.delete(&held.key).await?;
        due.kept_here += 1;
    }
    Ok(())
}

/// Sends each, unless it is too old: then it is deleted.
pub(super) async fn send(
    context: &Context,
    started: Instant,
    now: Timestamp,
    outcome: &mut Outcome,
) -> Result<(), EventError> {
    let mut failures = BTreeMap::new();
    let mut from = None;
    loop {
        let page = context.crashes.list(from).await?;
        for held in page.objects {
            let project = held.key.split('/').next().unwrap_or_default().to_owned();
            let failed: &mut u32 = failures.entry(project).or_default();
            if started.elapsed() > ALL_WITHIN || *failed >= FAILURES_MAX {
                outcome.waiting += 1;
                continue;
            }
            if let Err(error) = send_one(context, &held, failed, now, outcome).await {
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

async fn send_one(
    context: &Context,
    held: &StoredObject,
    failed: &mut u32,
    now: Timestamp,
    outcome: &mut Outcome,
) -> Result<(), EventError> {
    if is_too_old(held, now) {
        context.crashes.delete(&held.key).await?;
        outcome.given_up += 1;
        return Ok(());
    }
    let Some(bytes) = context.crashes.read(&held.key).await? else { return Ok(()) };
    // Of a project that is not known any more, it waits until it is too old.
    let Ok(envelope) = read(context, &bytes) else {
        outcome.waiting += 1;
        return Ok(());
    };
    match context.sentry.send(envelope.dsn(), bytes, SEND_WITHIN).await {
        Ok(Answer::Taken(_)) => {
            context.crashes.delete(&held.key).await?;
            outcome.sent += 1;
        }
        Ok(Answer::Refused { status }) => {
            tracing::warn!(status, "Sentry refused a crash that was kept");
            context.crashes.delete(&held.key).await?;
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

fn is_too_old(held: &StoredObject, now: Timestamp) -> bool {
    now.since(held.modified_at) > KEPT_FOR
}

fn read(context: &Context, bytes: &[u8]) -> Result<Envelope, EnvelopeError> {
    Envelope::read(bytes, Address::InHeaders, &context.devices)
}
