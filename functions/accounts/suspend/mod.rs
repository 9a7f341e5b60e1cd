//! Nobody of a company works for now, or they do again: everybody is logged out, and nobody logs in, until it is taken
//! back. For an operator, by IAM; nothing of the API leads here. It is a revision of the company, and says why. Nothing
//! that the company keeps changes.

use domain::{CustomerId, Timestamp};
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::operator::Operator;

const REASON_CHARS_MAX: usize = 500;

/// What the operator sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    customer: CustomerId,
    /// Why. Left out: they work again.
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Outcome {
    customer: CustomerId,
    suspended: Option<String>,
}

pub const FUNCTION: EventFunction<Operator, Event, Outcome> = EventFunction {
    name: "suspend-customer",
    build: |env| env.operator(),
    handle: |operator, event| {
        Box::pin(async move { handle(operator, &event, runtime::now()).await })
    },
};

async fn handle(operator: &Operator, event: &Event, now: Timestamp) -> Result<Outcome, EventError> {
    let (customer, reason) = (event.customer, event.reason.as_deref());
    if reason.is_some_and(|it| it.trim().is_empty() || it.chars().count() > REASON_CHARS_MAX) {
        return Err(format!("reason must have 1 to {REASON_CHARS_MAX} characters").into());
    }
    let profile = operator.suspend(customer, reason, now).await?;
    let profile = profile.ok_or_else(|| format!("customer {customer} is unknown"))?;
    tracing::warn!(%customer, suspended = reason.is_some(), "a company was suspended, or resumed");
    Ok(Outcome { customer, suspended: profile.suspended })
}
