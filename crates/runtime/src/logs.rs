//! Logs: a line of JSON each, for which Lambda adds the time. The line of a request is its metrics
//! too, in CloudWatch's embedded metric format: no call is made for them, and none is lost.

use std::fmt;

use serde_json::json;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::crashes::Reporter;
use crate::{Env, now};

/// The field that makes a line the one of a request.
const OF_A_REQUEST: &str = "micros";

/// Logs to standard output from now on.
pub(crate) fn start(env: &Env<'_>, reporter: Option<Reporter>) {
    let namespace = env.optional("METRICS_NAMESPACE");
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .without_time()
        .with_target(false)
        .map_event_format(|json| Lines { json, namespace })
        .finish()
        .with(reporter)
        .init();
}

struct Lines<F> {
    json: F,
    /// Where the metrics go; without one they are fields like others.
    namespace: Option<String>,
}

impl<S, N, F> FormatEvent<S, N> for Lines<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let fields = event.metadata().fields();
        let namespace = self.namespace.as_deref().filter(|_| fields.field(OF_A_REQUEST).is_some());
        let Some(namespace) = namespace else {
            return self.json.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.json.format_event(context, Writer::new(&mut line), event)?;
        let line = line.strip_suffix("}\n").ok_or(fmt::Error)?;
        writeln!(writer, "{line},\"_aws\":{}}}", directive(namespace, now().millis()))
    }
}

/// Names the fields that are metrics, of the stack as a whole: Lambda has its own for each function.
fn directive(namespace: &str, now_ms: i64) -> serde_json::Value {
    json!({
        "Timestamp": now_ms,
        "CloudWatchMetrics": [{
            "Namespace": namespace,
            "Dimensions": [[]],
            "Metrics": [
                { "Name": OF_A_REQUEST, "Unit": "Microseconds" },
                { "Name": "failed", "Unit": "Count" },
            ],
        }],
    })
}
