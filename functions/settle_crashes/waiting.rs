//! The crashes that wait for Sentry.

use std::time::Duration;

use crashes::{Answer, Dsn, Envelope, Issue};
use domain::Timestamp;
use runtime::EventError;

use super::{Context, Outcome};

/// What Sentry has not taken for so long is not news any more.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Sends each, unless it is one of these issues' or cannot be sent: then it is deleted. How many were of
/// each issue.
pub(super) async fn settle(
    context: &Context,
    resolved: &[Issue],
    now: Timestamp,
    outcome: &mut Outcome,
) -> Result<Vec<u64>, EventError> {
    let mut kept_here = vec![0; resolved.len()];
    let (mut from, mut sentry_takes) = (None, true);
    loop {
        let page = context.bucket.list(from).await?;
        for held in page.held {
            let Some(bytes) = context.bucket.read(&held.key).await? else { continue };
            let sendable = sendable(context, &bytes);
            let sendable = sendable.filter(|_| now.since(held.modified_at) <= KEPT_FOR);
            let Some((envelope, dsn)) = sendable else {
                context.bucket.delete(&held.key).await?;
                outcome.given_up += 1;
                continue;
            };
            let of = |issue: &Issue| {
                issue.project() == dsn.project_id().value() && envelope.tells_of(issue)
            };
            if let Some(issue) = resolved.iter().position(of) {
                context.bucket.delete(&held.key).await?;
                kept_here[issue] += 1;
                continue;
            }
            sentry_takes = sentry_takes && send(context, &held.key, &dsn, bytes, outcome).await?;
            outcome.waiting += u64::from(!sentry_takes);
        }
        from = page.next;
        if from.is_none() {
            return Ok(kept_here);
        }
    }
}

/// The envelope and where it goes, if it is one and that is known.
fn sendable(context: &Context, bytes: &[u8]) -> Option<(Envelope, Dsn)> {
    let envelope = Envelope::parse(bytes).ok()?;
    let dsn = envelope.dsn().ok().filter(|dsn| context.devices.know(dsn))?;
    Some((envelope, dsn))
}

/// Whether Sentry takes what is sent to it.
async fn send(
    context: &Context,
    key: &str,
    dsn: &Dsn,
    envelope: Vec<u8>,
    outcome: &mut Outcome,
) -> Result<bool, EventError> {
    match context.sentry.send(dsn, envelope).await {
        Ok(Answer::Taken(_)) => outcome.sent += 1,
        Ok(Answer::Refused { status }) => {
            tracing::warn!(status, "Sentry refused a crash that was kept");
            outcome.given_up += 1;
        }
        Ok(Answer::TooMany(_)) => return Ok(false),
        Err(cause) => {
            tracing::warn!(%cause, "Sentry does not take crashes yet");
            return Ok(false);
        }
    }
    context.bucket.delete(key).await?;
    Ok(true)
}
