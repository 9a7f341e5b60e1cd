//! Every company, with how many people it has, what it keeps and what it may. For an operator, by IAM; nothing of the API
//! leads here.

use domain::{CompanyName, CustomerId, ShortName, Timestamp};
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::operator::{CustomerRow, Operator};
use store::{QUOTA, Usage};

/// What the operator sends: nothing.
#[derive(Debug, Deserialize)]
pub struct Event {}

#[derive(Serialize)]
pub struct Outcome {
    customers: Vec<Company>,
}

#[derive(Serialize)]
struct Company {
    id: CustomerId,
    name: CompanyName,
    short_name: Option<ShortName>,
    since: Timestamp,
    people: u64,
    /// From its first change on that was counted.
    used: Usage,
    quota: Usage,
    /// Why nobody works there for now.
    suspended: Option<String>,
}

pub const FUNCTION: EventFunction<Operator, Event, Outcome> = EventFunction {
    name: "list-customers",
    build: |env| env.operator(),
    handle: |operator, _| Box::pin(handle(operator)),
};

async fn handle(operator: &Operator) -> Result<Outcome, EventError> {
    let company = |CustomerRow { id, profile, people, used, .. }: CustomerRow| {
        let since = profile.created_at;
        let store::CustomerProfile { name, short_name, suspended, quota, .. } = profile.content;
        let quota = quota.unwrap_or(QUOTA);
        Company { id, name, short_name, since, people, used, quota, suspended }
    };
    Ok(Outcome { customers: operator.customers().await?.into_iter().map(company).collect() })
}
