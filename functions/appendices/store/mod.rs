//! The bucket's "Object Created" event: looks at what has arrived, and notes the version that it
//! belongs to as stored. Events come more than once and out of order; each outcome is final.

use domain::{Timestamp, UploadState};
use runtime::EventFunction;
use serde::{Deserialize, Serialize};
use store::{Announced, Objects, Store, StoreError, WriteError};

/// What EventBridge sends of it.
#[derive(Debug, Deserialize)]
pub struct Event {
    detail: Detail,
}

#[derive(Debug, Deserialize)]
struct Detail {
    object: Object,
}

#[derive(Debug, Deserialize)]
struct Object {
    key: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    Stored,
    /// An earlier event did it.
    StoredBefore,
    /// It came after its appendix was deleted, and was taken away.
    Swept,
    /// Nobody reserved this key: for the reconciler to look at.
    Unclaimed,
    /// The object is not what was declared. Presigned uploads cannot do that; somebody else can.
    NotAsDeclared,
    /// The object is gone again.
    Missing,
}

pub const FUNCTION: EventFunction<(Store, Objects), Event, Outcome> = EventFunction {
    name: "store-appendix",
    build: |env| Ok((env.store()?, env.objects()?)),
    handle: |(store, objects), event| {
        Box::pin(async move { Ok(handle(store, objects, &event, runtime::now()).await?) })
    },
};

pub async fn handle(
    store: &Store,
    objects: &Objects,
    event: &Event,
    now: Timestamp,
) -> Result<Outcome, StoreError> {
    let outcome = note(store, objects, &event.detail.object.key, now).await?;
    match outcome {
        Outcome::Stored | Outcome::StoredBefore | Outcome::Swept => {
            tracing::info!(?outcome, "object noted")
        }
        // Somebody else writes to the bucket.
        Outcome::Unclaimed | Outcome::NotAsDeclared => {
            tracing::error!(failed = 1, ?outcome, "object refused");
        }
        // After a restore this is asked for every pending version, with bytes or without.
        Outcome::Missing => tracing::error!(?outcome, "object refused"),
    }
    Ok(outcome)
}

/// Notes the version that an object belongs to.
pub async fn note(
    store: &Store,
    objects: &Objects,
    key: &str,
    now: Timestamp,
) -> Result<Outcome, StoreError> {
    let Ok(key) = key.parse::<Announced>() else {
        return Ok(Outcome::Unclaimed);
    };
    let Some(version) = store.appendix_version(&key).await? else {
        return Ok(Outcome::Unclaimed);
    };
    if version.content.state == UploadState::Stored {
        return Ok(Outcome::StoredBefore);
    }
    if store.appendix_is_deleted(&key).await? {
        objects.sweep(&key).await?;
        return Ok(Outcome::Swept);
    }
    let Some(facts) = objects.facts(&key).await? else {
        return Ok(Outcome::Missing);
    };
    if !facts.are_as_declared(&version.content.declared()) {
        return Ok(Outcome::NotAsDeclared);
    }
    match store.mark_stored(&key, &version, now).await {
        Ok(()) => Ok(Outcome::Stored),
        Err(WriteError::Store(error)) => Err(error),
        Err(_) => Ok(Outcome::StoredBefore),
    }
}
