//! EventBridge: delivers events to the functions whose pattern they fit, at least once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::Invoke;
use crate::objects::{Disk, Due, Source};
use crate::template::Function;

/// How long a failed event may wait beyond its due time.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// After so many in a row, nothing will be noted soon: the disk is full.
const UNNOTED_MAX: u32 = 20;

pub(crate) struct Bus {
    /// How often in a row an outcome could not be noted.
    unnoted: AtomicU32,
    rules: Vec<(Value, String)>,
    functions: Arc<dyn Invoke>,
}

impl Bus {
    pub(crate) fn new(template: &[Function], functions: Arc<dyn Invoke>) -> Self {
        let rules = template.iter().flat_map(|function| {
            function.patterns.iter().map(|pattern| (pattern.clone(), function.binary.clone()))
        });
        Self { unnoted: AtomicU32::new(0), rules: rules.collect(), functions }
    }

    /// Delivers what one source has announced, until dropped. What a kill left is delivered first.
    pub(crate) async fn run(&self, disk: &Disk, source: Source) {
        loop {
            let now_ms = runtime::now().millis();
            match disk.due_event(source, now_ms) {
                Ok(Some(Due { id, event })) => {
                    let outcome = if self.deliver(&event).await {
                        disk.delivered(id)
                    } else {
                        disk.put_off(id, runtime::now().millis())
                    };
                    if outcome.is_ok() {
                        self.unnoted.store(0, Ordering::Relaxed);
                    }
                    if let Err(error) = outcome {
                        self.unnoted.fetch_add(1, Ordering::Relaxed);
                        // It comes again; not at once, should the disk be full.
                        tracing::error!(%error, "the outcome of an event was not noted");
                        tokio::time::sleep(LOOK_AGAIN).await;
                    }
                }
                Ok(None) => {
                    let _ = tokio::time::timeout(LOOK_AGAIN, disk.told(source).notified()).await;
                }
                Err(error) => {
                    tracing::error!(%error, "cannot read events");
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    /// Whether events come again and again because their outcomes cannot be noted.
    pub(crate) fn is_stuck(&self) -> bool {
        self.unnoted.load(Ordering::Relaxed) >= UNNOTED_MAX
    }

    /// Whether every function that the event is for has taken it.
    async fn deliver(&self, event: &Value) -> bool {
        let mut taken = true;
        for (_, function) in self.rules.iter().filter(|(pattern, _)| fits(pattern, event)) {
            match self.functions.invoke(function, event.clone()).await {
                Ok(result) => tracing::debug!(function, %result, "event taken"),
                Err(error) => {
                    tracing::error!(function, %error, "event not taken");
                    taken = false;
                }
            }
        }
        taken
    }
}

/// EventBridge's rule for patterns: every member is there, with one of the values listed.
fn fits(pattern: &Value, event: &Value) -> bool {
    match pattern {
        Value::Object(members) => {
            members.iter().all(|(name, pattern)| event.get(name).is_some_and(|e| fits(pattern, e)))
        }
        Value::Array(values) => values.contains(event),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_fits_when_every_member_has_a_listed_value() {
        let pattern = json!({"source": ["aws.s3"], "detail": {"bucket": {"name": ["a", "b"]}}});
        let event = |bucket: &str| json!({"source": "aws.s3", "x": 1, "detail": {"bucket": {"name": bucket}}});
        assert!(fits(&pattern, &event("a")) && fits(&pattern, &event("b")));
        assert!(!fits(&pattern, &event("c")));
        assert!(!fits(&pattern, &json!({"source": "aws.s3"})));
        assert!(!fits(&pattern, &json!({"detail": {"bucket": {"name": "a"}}})));
    }
}
