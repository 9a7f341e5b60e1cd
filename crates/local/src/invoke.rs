//! Running a function on an event, wherever its code is.

use futures_util::future::BoxFuture;
use serde_json::Value;

/// The function did not answer: it failed, or took longer than its timeout.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvokeError(pub String);

/// Runs functions by the name of their binary: an event in, an answer out, both as JSON.
pub trait Invoke: Send + Sync {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        event: Value,
    ) -> BoxFuture<'a, Result<Value, InvokeError>>;
}
