//! The way from a function in this process to the database in it: what the SDK has signed is checked and answered as if it
//! had come over the network, without the network. Everything else that the SDK sends goes there.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::header::{HOST, HeaderValue};

use super::{Tables, answer};
use crate::identity::Identities;

/// The database, for who is in the same process.
#[derive(Clone)]
pub(crate) struct Within {
    pub(super) tables: Arc<Tables>,
    pub(super) identities: Arc<Identities>,
    /// Where it is found by others, and by the SDK's own reckoning.
    pub(super) address: SocketAddr,
}

impl Within {
    /// A client for the SDK, which takes all other ways by `others`.
    pub(crate) fn client(self, others: SharedHttpClient) -> SharedHttpClient {
        http_client_fn(move |settings, components| {
            let others = others.http_connector(settings, components);
            let here = format!("http://{}/", self.address);
            SharedHttpConnector::new(Ways { within: self.clone(), here, others })
        })
    }

    async fn answer(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let other = |error| ConnectorError::other(error, None);
        let request = request.try_into_http1x().map_err(|error| other(error.into()))?;
        let (mut parts, body) = request.into_parts();
        // What a client of HTTP adds, from where it goes.
        let host = HeaderValue::try_from(self.address.to_string());
        parts.headers.entry(HOST).or_insert(host.map_err(|error| other(error.into()))?);
        let body = body.bytes().map(Bytes::copy_from_slice).unwrap_or_default();
        let answer: Response<_> = answer(&self.tables, &self.identities, &parts, body).await;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|never| other(never.into()))?.to_bytes();
        let answer = Response::from_parts(parts, SdkBody::from(body));
        HttpResponse::try_from(answer).map_err(|error| other(error.into()))
    }
}

/// Where a request goes.
struct Ways {
    within: Within,
    /// What the addresses of the database start with. It ends in a slash: one port is the start of another.
    here: String,
    others: SharedHttpConnector,
}

impl fmt::Debug for Ways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ways").field("within", &self.within.address).finish_non_exhaustive()
    }
}

impl HttpConnector for Ways {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if request.uri().starts_with(&self.here) {
            HttpConnectorFuture::new(self.within.clone().answer(request))
        } else {
            self.others.call(request)
        }
    }
}
