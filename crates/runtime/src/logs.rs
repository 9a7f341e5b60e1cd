//! Logs: a line of JSON each, for which Lambda adds the time. The line of a request is its metrics
//! too, in CloudWatch's embedded metric format: no call is made for them, and none is lost.

use std::fmt;

use serde_json::json;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::reports::Reporter;
use crate::{Env, now};

/// Whether something was done, or failed.
const FAILED: &str = "failed";
/// How old the newest backup is that was proven; each hour has a line of it.
const VERIFIED_AGE: &str = "verified_age_hours";
/// Requests have one; how long events take says nothing of how long people wait.
const ROUTE: &str = "route";

/// Logs to standard output from now on.
pub(crate) fn start(env: &Env<'_>, reporter: Option<Reporter>) {
    log(std::io::stdout, env.optional("METRICS_NAMESPACE")).with(reporter).init();
}

fn log<W>(
    writer: W,
    namespace: Option<String>,
) -> impl Subscriber + for<'a> LookupSpan<'a> + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .without_time()
        .with_target(false)
        // It would be told on standard error, and end what was being done, should that be full as well.
        .log_internal_errors(false)
        .map_event_format(|json| Lines { json, namespace })
        .with_writer(writer)
        .finish()
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
        let has = |name| fields.field(name).is_some();
        let namespace = self.namespace.as_deref().filter(|_| has(FAILED) || has(VERIFIED_AGE));
        let Some(namespace) = namespace else {
            return self.json.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.json.format_event(context, Writer::new(&mut line), event)?;
        let line = line.strip_suffix("}\n").ok_or(fmt::Error)?;
        let mut metrics = Vec::new();
        for (name, unit, is) in [
            (FAILED, "Count", has(FAILED)),
            ("micros", "Microseconds", has(ROUTE)),
            (VERIFIED_AGE, "None", has(VERIFIED_AGE)),
        ] {
            metrics.extend(is.then(|| json!({ "Name": name, "Unit": unit })));
        }
        writeln!(writer, "{line},\"_aws\":{}}}", directive(namespace, &metrics))
    }
}

/// Names the fields that are metrics, of the stack as a whole: Lambda has its own for each function.
fn directive(namespace: &str, metrics: &[serde_json::Value]) -> serde_json::Value {
    json!({
        "Timestamp": now().millis(),
        "CloudWatchMetrics": [
            { "Namespace": namespace, "Dimensions": [[]], "Metrics": metrics },
        ],
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};
    use std::sync::Arc;

    use serde_json::Value;

    use super::*;

    /// What is written while `of` runs, line by line.
    fn lines(namespace: Option<&str>, of: impl FnOnce()) -> Vec<Value> {
        let mut file = tempfile::tempfile().unwrap();
        let writer = Arc::new(file.try_clone().unwrap());
        tracing::subscriber::with_default(log(writer, namespace.map(str::to_owned)), of);
        file.flush().unwrap();
        file.rewind().unwrap();
        let text = std::io::read_to_string(file).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn answered() {
        tracing::info!(
            request_id = "r",
            route = "GET /\"x\"}",
            micros = 7_u64,
            failed = 0,
            "answered"
        );
    }

    #[test]
    fn the_line_of_a_request_carries_its_metrics() {
        let [line] = <[Value; 1]>::try_from(lines(Some("am-service"), answered)).unwrap();
        assert_eq!((&line["micros"], &line["failed"]), (&json!(7), &json!(0)));
        assert_eq!((&line["message"], &line["route"]), (&json!("answered"), &json!("GET /\"x\"}")));
        assert!(line["_aws"]["Timestamp"].is_u64());
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metrics["Namespace"], "am-service");
        for metric in metrics["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_u64(), "{metric}");
        }
    }

    #[test]
    fn the_line_of_an_event_says_nothing_of_how_long_people_wait() {
        let of = || tracing::error!(micros = 900_000_000_u64, failed = 1, "failed");
        let line = &lines(Some("am-service"), of)[0];
        let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        assert_eq!(metrics.as_slice(), [json!({"Name": "failed", "Unit": "Count"})]);
    }

    #[test]
    fn the_age_of_the_proven_backup_is_a_metric_of_its_own() {
        let of = || tracing::info!(verified_age_hours = 7.5, "audited");
        let line = &lines(Some("am-service"), of)[0];
        assert_eq!(line["verified_age_hours"], 7.5);
        let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        assert_eq!(metrics.as_slice(), [json!({"Name": "verified_age_hours", "Unit": "None"})]);
    }

    #[test]
    fn other_lines_and_those_of_nowhere_carry_none() {
        let other =
            lines(Some("am-service"), || tracing::info!(outcome = "stored", "object noted"));
        assert!(other[0].get("_aws").is_none());
        assert!(lines(None, answered)[0].get("_aws").is_none());
    }
}
