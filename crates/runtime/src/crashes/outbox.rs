//! What waits to be sent to Sentry, and the sending of it: over a client of its own, since the one
//! for AWS trusts nobody but Amazon.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use sentry::types::Dsn;
use sentry::{Envelope, Transport, TransportFactory, TransportOptions};

use super::RELEASE;

/// For all of one invocation's crashes: a client waits for its answer meanwhile.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);
/// What fails without end must not fill the memory: beyond this, one invocation's crashes are lost.
const WAITING_MAX: usize = 20;
/// How long to be silent when Sentry says "too many" and not for how long.
const PAUSE: Duration = Duration::from_secs(60);
const PAUSE_MAX: Duration = Duration::from_secs(60 * 60);

#[derive(Clone, Default)]
pub(super) struct Outbox(Arc<Mutex<Waiting>>);

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
        let connector = connector(dsn);
        for envelope in envelopes {
            // Warnings, not errors: an error would be reported in turn.
            match post(&connector, dsn, envelope).await {
                Ok(Answer::Taken) => {}
                Ok(Answer::TooMany { wait }) => {
                    self.waiting().silent_until = Some(Instant::now() + wait.min(PAUSE_MAX));
                    return;
                }
                Ok(Answer::Refused { status }) => tracing::warn!(status, "Sentry refused a crash"),
                Err(cause) => tracing::warn!(cause, "a crash did not reach Sentry"),
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Answer {
    Taken,
    TooMany { wait: Duration },
    Refused { status: u16 },
}

/// Trusts the machine's roots; they are read now, when something has failed already.
fn connector(dsn: &Dsn) -> Connector {
    if dsn.scheme() == sentry::types::Scheme::Http {
        return Connector::builder().build_http();
    }
    let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    Connector::builder().tls_provider(ring).build()
}

async fn post(connector: &Connector, dsn: &Dsn, envelope: &Envelope) -> Result<Answer, String> {
    let mut body = Vec::new();
    envelope.to_writer(&mut body).map_err(|error| error.to_string())?;
    let mut request = HttpRequest::new(body.into());
    request.set_method("POST").map_err(|error| error.to_string())?;
    request.set_uri(dsn.envelope_api_url().as_str()).map_err(|error| error.to_string())?;
    let headers = request.headers_mut();
    headers.insert("content-type", "application/x-sentry-envelope");
    headers.insert("x-sentry-auth", dsn.to_auth(Some(RELEASE)).to_string());
    let response = connector.call(request).await.map_err(|error| error.to_string())?;
    let status = response.status();
    if status.as_u16() == 429 {
        let seconds = response.headers().get("retry-after").and_then(|value| value.parse().ok());
        return Ok(Answer::TooMany { wait: seconds.map_or(PAUSE, Duration::from_secs) });
    }
    if status.is_success() {
        Ok(Answer::Taken)
    } else {
        Ok(Answer::Refused { status: status.into() })
    }
}
