//! What waits to be sent to Sentry, and the sending of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crashes::{Answer, Dsn, Sentry};
use sentry::{Envelope, Transport, TransportFactory, TransportOptions};

/// For all of one invocation's crashes: a client waits for its answer meanwhile.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);
/// What fails without end must not fill the memory: beyond this, one invocation's crashes are lost.
const WAITING_MAX: usize = 20;
/// How long to be silent when Sentry says "too many" and not for how long.
const PAUSE: Duration = Duration::from_secs(60);
const PAUSE_MAX: Duration = Duration::from_secs(60 * 60);

#[derive(Clone, Default)]
pub(super) struct Outbox(Arc<(Sentry, Mutex<Waiting>)>);

#[derive(Default)]
struct Waiting {
    envelopes: Vec<Envelope>,
    silent_until: Option<Instant>,
}

impl Transport for Outbox {
    fn send_envelope(&self, envelope: Envelope) {
        let mut waiting = self.waiting();
        let silent = waiting.silent_until.is_some_and(|until| Instant::now() < until);
        if !silent && waiting.envelopes.len() < WAITING_MAX {
            waiting.envelopes.push(envelope);
        }
    }
}

impl TransportFactory for Outbox {
    fn create_transport_with_options(&self, _: TransportOptions) -> Arc<dyn Transport> {
        Arc::new(self.clone())
    }
}

impl Outbox {
    pub(super) async fn send(&self, dsn: &Dsn) {
        let envelopes = std::mem::take(&mut self.waiting().envelopes);
        if envelopes.is_empty() {
            return;
        }
        if tokio::time::timeout(SEND_TIMEOUT, self.send_all(dsn, &envelopes)).await.is_err() {
            tracing::warn!("Sentry did not answer in time");
        }
    }

    async fn send_all(&self, dsn: &Dsn, envelopes: &[Envelope]) {
        for envelope in envelopes {
            let mut bytes = Vec::new();
            if envelope.to_writer(&mut bytes).is_err() {
                continue;
            }
            // Warnings, not errors: an error would be reported in turn.
            match self.0.0.send(dsn, bytes, SEND_TIMEOUT).await {
                Ok(Answer::Taken(_)) => {}
                Ok(Answer::TooMany(limits)) => {
                    let wait = limits.retry_after.and_then(|seconds| seconds.parse().ok());
                    let wait = wait.map_or(PAUSE, Duration::from_secs).min(PAUSE_MAX);
                    self.waiting().silent_until = Some(Instant::now() + wait);
                    return;
                }
                Ok(Answer::Refused { status } | Answer::Unknown { status }) => {
                    tracing::warn!(status, "Sentry refused a crash")
                }
                Err(cause) => tracing::warn!(%cause, "a crash did not reach Sentry"),
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.1.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
