//! What a company may keep, as whoever runs the service says. For an operator, by IAM: nothing of the API leads
//! here. It is a revision of the company, and says why.

use domain::{CustomerId, Timestamp};
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::operator::Operator;
use store::{QUOTA, Usage};

/// What the operator sends. What is left out stays as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    customer: CustomerId,
    bytes: Option<u64>,
    versions: Option<u64>,
    records: Option<u64>,
}

#[derive(Debug, Serialize)]
pub struct Outcome {
    customer: CustomerId,
    before: Usage,
    quota: Usage,
}

pub const FUNCTION: EventFunction<Operator, Event, Outcome> = EventFunction {
    name: "set-quota",
    build: |env| env.operator(),
    handle: |operator, event| {
        Box::pin(async move { handle(operator, &event, runtime::now()).await })
    },
};

async fn handle(operator: &Operator, event: &Event, now: Timestamp) -> Result<Outcome, EventError> {
    let customer = event.customer;
    let set = |before: Usage| Usage {
        bytes: event.bytes.unwrap_or(before.bytes),
        versions: event.versions.unwrap_or(before.versions),
        records: event.records.unwrap_or(before.records),
    };
    let before = operator.set_quota(customer, now, |before| set(before.unwrap_or(QUOTA))).await?;
    let before = before.ok_or_else(|| format!("customer {customer} is unknown"))?.unwrap_or(QUOTA);
    let quota = set(before);
    tracing::warn!(%customer, ?before, ?quota, "a quota was set");
    Ok(Outcome { customer, before, quota })
}
