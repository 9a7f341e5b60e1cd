//! Requests to Sentry, over a client of its own, since the one for AWS trusts nobody but Amazon.

use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::byte_stream::ByteStream;

use domain::chain;

use crate::Dsn;

/// What Sentry calls the clients of its protocol by.
const CLIENT: &str = concat!("am-service/", env!("CARGO_PKG_VERSION"));

/// More than a page of its lists.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The way to Sentry. Connections and the machine's trusted roots are made when they are needed first.
#[derive(Default)]
pub struct Sentry {
    plain: OnceLock<Connector>,
    tls: OnceLock<Connector>,
}

/// What Sentry says of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has it, and may ask for less in future.
    Taken(Limits),
    /// It has had enough for a while.
    TooMany(Limits),
    /// It will not take this one, whenever it is sent.
    Refused { status: u16 },
    /// It does not know the project or the key, which may be a mistake of ours.
    Unknown { status: u16 },
}

/// What an SDK should send less of, in the words of Sentry's headers, which it understands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub retry_after: Option<String>,
    pub rate_limits: Option<String>,
}

/// Sentry gave no answer, or none that means anything. It may later.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    #[error("Sentry did not answer in time")]
    TimedOut,
    #[error("Sentry cannot be reached: {0}")]
    Failed(String),
    #[error("Sentry answered {0}")]
    Status(u16),
}

impl Sentry {
    /// Sends one envelope to the project of `dsn`.
    pub async fn send(
        &self,
        dsn: &Dsn,
        envelope: Vec<u8>,
        within: Duration,
    ) -> Result<Answer, Unreachable> {
        let request = Request {
            method: "POST",
            url: dsn.envelope_api_url().into(),
            headers: vec![
                ("content-type", "application/x-sentry-envelope".to_owned()),
                ("x-sentry-auth", dsn.to_auth(Some(CLIENT)).to_string()),
            ],
            body: envelope,
        };
        let (status, headers, _) = self.ask(request, within).await?;
        let header = |name: &str| headers.get(name).map(str::to_owned);
        let limits = || Limits {
            retry_after: header("retry-after"),
            rate_limits: header("x-sentry-rate-limits"),
        };
        match status {
            200..=299 => Ok(Answer::Taken(limits())),
            429 => Ok(Answer::TooMany(limits())),
            401 | 403 | 404 => Ok(Answer::Unknown { status }),
            400 | 411 | 413 | 415 | 422 => Ok(Answer::Refused { status }),
            _ => Err(Unreachable::Status(status)),
        }
    }

    pub(crate) async fn ask(
        &self,
        request: Request,
        within: Duration,
    ) -> Result<(u16, Headers, Vec<u8>), Unreachable> {
        let failed = |error: &(dyn std::error::Error + 'static)| Unreachable::Failed(chain(error));
        let mut http = HttpRequest::new(request.body.into());
        http.set_method(request.method).map_err(|error| failed(&error))?;
        http.set_uri(request.url.as_str()).map_err(|error| failed(&error))?;
        for (name, value) in request.headers {
            http.headers_mut().try_insert(name, value).map_err(|error| failed(&error))?;
        }
        let connector = self.connector(&request.url);
        let asked = async {
            let response = connector.call(http).await.map_err(|error| failed(&error))?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let (mut body, mut said) = (ByteStream::new(response.into_body()), Vec::new());
            while let Some(bytes) = body.next().await {
                said.extend_from_slice(&bytes.map_err(|error| failed(&error))?);
                if said.len() > ANSWER_BYTES_MAX {
                    let what = format!("its answer has more than {ANSWER_BYTES_MAX} bytes");
                    return Err(Unreachable::Failed(what));
                }
            }
            Ok((status, headers, said))
        };
        tokio::time::timeout(within, asked).await.map_err(|_| Unreachable::TimedOut)?
    }

    fn connector(&self, url: &str) -> &Connector {
        if url.starts_with("http:") {
            return self.plain.get_or_init(|| Connector::builder().build_http());
        }
        self.tls.get_or_init(|| {
            let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
            Connector::builder().tls_provider(ring).build()
        })
    }
}

pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}
