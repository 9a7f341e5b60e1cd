//! Answering: whatever happens in a handler, the client gets a response.

use std::net::Ipv4Addr;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use domain::{CustomerId, Role, UserId, chain};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use lambda_http::Body;
use lambda_http::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HOST, LOCATION, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use lambda_http::http::uri::Authority;
use lambda_http::http::{HeaderName, HeaderValue, Method};
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, LambdaEvent, Service as _, service_fn};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;
use store::Store;
use tracing::field::{DisplayValue, display};

use crate::{Access, Problem, Request, SessionRequest, StatusCode, Who, pack};

/// All of a request but its body has at most 10 KB at API Gateway.
const URI_BYTES_MAX: usize = 10 * 1024;

pub type Response = lambda_http::Response<Body>;

/// An answer or a problem, some time later.
type Answering<'a> = BoxFuture<'a, Result<Response, Problem>>;

/// Who may call an endpoint, and what it does then.
pub enum Handle<C> {
    Anyone(for<'a> fn(&'a C, &'a Request) -> Answering<'a>),
    /// Whoever shows a session of at least this role.
    Session(Role, fn(&C) -> &Store, for<'a> fn(&'a C, SessionRequest<'a>) -> Answering<'a>),
}

impl<C> Handle<C> {
    pub const fn access(&self) -> Access {
        match self {
            Self::Anyone(_) => Access::Anyone,
            Self::Session(least, ..) => Access::Session(*least),
        }
    }
}

impl<C> Clone for Handle<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Handle<C> {}

/// Answers one event of API Gateway's: JSON in, JSON out.
pub async fn answer<C: Sync>(
    context: &'static C,
    mut event: LambdaEvent<LambdaRequest>,
    handle: Handle<C>,
) -> Result<impl Serialize, lambda_http::Error> {
    let is_too_long = cut_uri(&mut event.payload);
    make_uri_safe(&mut event.payload);
    let answer = service_fn(move |request| async move {
        if is_too_long {
            return Ok(Problem::uri_too_long().into_response("unknown"));
        }
        Ok::<_, lambda_http::Error>(respond(context, request, handle).await)
    });
    Adapter::from(answer).call(event).await
}

/// Of what is longer than API Gateway takes, lambda_http could not make a URI, and would panic. Whether it was.
fn cut_uri(event: &mut LambdaRequest) -> bool {
    let LambdaRequest::ApiGatewayV2(event) = event else { return false };
    let length = |part: &Option<String>| part.as_ref().map_or(0, String::len);
    let http = &event.request_context.http;
    let path = length(&event.raw_path).max(length(&http.path));
    let is_too_long = path + length(&event.raw_query_string) > URI_BYTES_MAX;
    if is_too_long {
        event.raw_path = Some("/".to_owned());
        event.request_context.http.path = Some("/".to_owned());
        event.raw_query_string = None;
    }
    is_too_long
}

/// The URI that lambda_http makes of an event must be one, or it panics. Nothing here looks at the
/// parts that a client can spoil, so they are mended rather than refused.
fn make_uri_safe(event: &mut LambdaRequest) {
    const NOT_IN_A_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'#');
    let LambdaRequest::ApiGatewayV2(event) = event else { return };
    if let Some(query) = &mut event.raw_query_string {
        *query = utf8_percent_encode(query, NOT_IN_A_QUERY).to_string();
    }
    event.headers.remove("x-forwarded-proto");
    let host = event.headers.get(HOST).map(HeaderValue::as_bytes);
    if host.is_some_and(|host| !is_authority(host)) {
        event.headers.remove(HOST);
    }
    if event.request_context.domain_name.as_deref().is_some_and(|it| !is_authority(it.as_bytes())) {
        event.request_context.domain_name = None;
    }
}

/// Whether a URL can be made of it: one has a port of 16 bits, and what ends in a number is an address.
fn is_authority(host: &[u8]) -> bool {
    let Ok(authority) = Authority::try_from(host) else { return false };
    let host = authority.host();
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let is_number = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
    let has_port = authority
        .as_str()
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && !port.ends_with(']'));
    (authority.port_u16().is_some() || !has_port)
        && (!is_number || host.parse::<Ipv4Addr>().is_ok())
}

async fn respond<C>(context: &C, request: lambda_http::Request, handle: Handle<C>) -> Response {
    let request = Request::from(request);
    let mut response = respond_to(context, &request, handle).await;
    pack::pack(&request, &mut response);
    if request.method() == Method::HEAD {
        *response.body_mut() = Body::Empty;
    }
    secure(&mut response);
    response
}

/// Runs a handler, turns problems and panics into answers, and writes the request's one log line.
pub(crate) async fn respond_to<C>(context: &C, request: &Request, handle: Handle<C>) -> Response {
    let started = Instant::now();
    // Nothing a handler leaves half done is seen again: the store's changes are transactions.
    let outcome = AssertUnwindSafe(async {
        match handle {
            Handle::Anyone(handle) => handle(context, request).await,
            Handle::Session(least, store, handle) => {
                let session = SessionRequest::new(request, least);
                let answered = handle(context, session).await;
                // Who has no session learns nothing, not even what else is wrong.
                if answered.is_err() && request.who().is_none() {
                    session.open(store(context), ()).await?;
                }
                answered
            }
        }
    });
    let outcome = outcome.catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|_| Err(Problem::internal("the handler panicked")));
    let micros = micros_since(started);
    match outcome {
        Ok(response) => {
            let status = response.status().as_u16();
            let (request_id, route) = (request.id(), request.route());
            let Named { customer, user, path, account, source } = Named::of(request);
            tracing::info!(
                request_id,
                route,
                path,
                customer,
                user,
                account,
                source,
                status,
                micros,
                failed = 0,
                "answered"
            );
            response
        }
        Err(problem) => {
            log(request, &problem, micros);
            problem.into_response(request.id())
        }
    }
}

/// What every answer says to browsers.
fn secure(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(
        STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=63072000; includeSubDomains"),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // What is answered belongs to one person, who may share the device.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    // A browser that is led here shows nothing, embeds it nowhere and tells nobody.
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// What the log says of who asked, and for what.
#[derive(Default)]
struct Named<'a> {
    customer: Option<DisplayValue<CustomerId>>,
    user: Option<DisplayValue<UserId>>,
    /// Of somebody with a session: the ids in it are theirs.
    path: Option<&'a str>,
    account: Option<&'a str>,
    source: Option<&'a str>,
}

impl<'a> Named<'a> {
    fn of(request: &'a Request) -> Self {
        match request.who() {
            None => Self::default(),
            Some(Who::User { customer, user }) => Self {
                customer: Some(display(*customer)),
                user: Some(display(*user)),
                path: Some(request.raw_path()),
                ..Self::default()
            },
            Some(Who::Stranger { account, source }) => {
                Self { account: Some(account), source: Some(source), ..Self::default() }
            }
        }
    }
}

fn log(request: &Request, problem: &Problem, micros: u64) {
    let (request_id, route) = (request.id(), request.route());
    let Named { customer, user, path, account, source } = Named::of(request);
    let (status, code) = (problem.status().as_u16(), problem.code());
    match problem.cause() {
        Some(cause) if problem.status().is_server_error() => {
            let cause = chain(cause);
            tracing::error!(
                request_id,
                route,
                path,
                customer,
                user,
                account,
                source,
                status,
                code,
                micros,
                failed = 1,
                cause,
                "failed"
            );
        }
        _ => tracing::info!(
            request_id,
            route,
            path,
            customer,
            user,
            account,
            source,
            status,
            code,
            micros,
            failed = 0,
            "refused"
        ),
    }
}

/// How long something took, for a log.
pub fn micros_since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// An answer with a JSON body.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    text(status, serde_json::to_string(body).expect("answers become JSON"))
}

/// An answer with a body that is JSON already.
pub fn text(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::Text(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// 201 with where the new thing is, and its entity tag.
pub fn created(location: &str, etag: &str, body: &impl Serialize) -> Response {
    let response = json(StatusCode::CREATED, body);
    with_header(with_header(response, LOCATION, location), ETAG, etag)
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response
}

/// The answer, marked to be kept nowhere: it holds a token or a link that opens something.
pub fn not_stored(response: Response) -> Response {
    with_header(response, CACHE_CONTROL, "no-store")
}

/// The answer with one more header.
pub fn with_header(mut response: Response, name: HeaderName, value: &str) -> Response {
    let value = HeaderValue::from_str(value).expect("our headers are ASCII");
    response.headers_mut().append(name, value);
    response
}
