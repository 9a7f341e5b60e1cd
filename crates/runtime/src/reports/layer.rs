//! Errors that are logged are errors that are reported: whoever logs one need not know of Sentry.

use std::error::Error;
use std::fmt::Debug;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::{Crash, Crashes};

/// What is told of an error beside its message and cause. Any other field stays in the log.
const TAGS: [&str; 4] = ["request_id", "route", "status", "code"];

pub(crate) struct Reporter(pub(crate) &'static Crashes);

impl<S: Subscriber> Layer<S> for Reporter {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // Lambda's runtime logs again what the loops have logged.
        let ours = !event.metadata().target().starts_with("lambda_runtime");
        if ours && *event.metadata().level() == Level::ERROR {
            let mut crash = Crash::default();
            event.record(&mut crash);
            self.0.report(crash);
        }
    }
}

impl Crash {
    fn note(&mut self, field: &Field, value: String) {
        match field.name() {
            "message" => self.message = value,
            "cause" => self.cause = Some(value),
            name if TAGS.contains(&name) => {
                self.tags.insert(name.to_owned(), value);
            }
            _ => {}
        }
    }
}

impl Visit for Crash {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.note(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.note(field, am_http::chain(value));
    }
}
