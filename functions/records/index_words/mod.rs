//! Every hour: writes the words of records that were left to be written. A change writes its words itself; this is
//! for those that had too many for one transaction and were cut off before all were written, and takes those away that a
//! long text has lost.

use domain::Timestamp;
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::operator::{Operator, SWEPT_AFTER};

/// What EventBridge Scheduler sends of it: nothing.
#[derive(Debug, Deserialize)]
pub struct Event {}

#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Of how many changes.
    indexed: u64,
}

pub const FUNCTION: EventFunction<Operator, Event, Outcome> = EventFunction {
    name: "index-words",
    build: |env| env.operator(),
    handle: |operator, _| Box::pin(async move { handle(operator, runtime::now()).await }),
};

async fn handle(operator: &Operator, now: Timestamp) -> Result<Outcome, EventError> {
    let indexed = operator.sweep_words(now.before(SWEPT_AFTER)).await?;
    Ok(Outcome { indexed })
}
