//! Puts every record into all lists and writes its words: once, after a deployment that has lists which the release
//! before had not. For an operator, by IAM; nothing of the API leads here. It can be done again at any time, while people
//! work: docs/DEPLOY.md.

use domain::Timestamp;
use runtime::{EventError, EventFunction};
use serde::{Deserialize, Serialize};
use store::operator::{Operator, Segment};

/// What the operator sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Only this part, where one function has not the time for all. After the last one, all of it counts as listed.
    #[serde(default = "whole")]
    segment: Segment,
}

fn whole() -> Segment {
    Segment::WHOLE
}

#[derive(Debug, Serialize)]
pub struct Outcome {
    /// How many records.
    listed: u64,
    /// Whether all are listed now.
    complete: bool,
}

pub const FUNCTION: EventFunction<Operator, Event, Outcome> = EventFunction {
    name: "build-index",
    build: |env| env.operator(),
    handle: |operator, event| {
        Box::pin(async move { handle(operator, &event, runtime::now()).await })
    },
};

async fn handle(operator: &Operator, event: &Event, now: Timestamp) -> Result<Outcome, EventError> {
    let Segment { index, of } = event.segment;
    if index >= of {
        return Err(
            format!("segment: index is {index}, and must be below of, which is {of}").into()
        );
    }
    let listed = operator.build_index(event.segment, now).await?;
    let complete = index + 1 == of;
    if complete {
        operator.note_index_built(now).await?;
    }
    Ok(Outcome { listed, complete })
}
