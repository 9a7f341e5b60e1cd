//! JSON as AWS's protocols have it.

use serde_json::{Value, json};

/// A text; empty where there is none.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A time: seconds since 1970, with decimals.
pub(crate) fn seconds(millis: i64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century are exact")]
    let seconds = millis as f64 / 1000.0;
    json!(seconds)
}
