//! The one error type of the API: RFC 9457 problem details.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;

use domain::{Refusal, Version};
use lambda_http::Body;
use lambda_http::http::header::{CONTENT_TYPE, ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use lambda_http::http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use store::{Missing, StoreError, WriteError};

pub use lambda_http::http::StatusCode;

use crate::{Code, Response, etag};

/// Longer explanations are cut: they may quote names that a client made up.
const DETAIL_CHARS_MAX: usize = 300;

/// Why a request was not done: a stable code for programs, a sentence for people, the bad field if
/// there is one. The cause is for the log and never reaches a client.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: Code,
    detail: Cow<'static, str>,
    field: Option<String>,
    more: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            detail: detail.into(),
            field: None,
            more: Map::new(),
            headers: Vec::new(),
            cause: None,
        }))
    }

    /// 422: well formed, but the field at this JSON pointer breaks a rule.
    pub fn invalid(field: impl Into<String>, rule: impl Into<Cow<'static, str>>) -> Self {
        let mut problem = Self::new(Code::INVALID_FIELD, rule);
        problem.0.field = Some(field.into());
        problem
    }

    /// 422: all rules that are broken, each with its field, so that a client can say them in a person's language. The
    /// first one is the problem's own.
    pub fn refused(refusals: &[Refusal]) -> Self {
        let Some(first) = refusals.first() else { return Self::internal("nothing was refused") };
        Self::invalid(first.pointer.clone(), first.to_string())
            .more("rule", first.rule.into())
            .more("arguments", first.arguments.clone().into())
            .more("errors", json!(refusals))
    }

    pub fn uri_too_long() -> Self {
        Self::new(Code::URI_TOO_LONG, "The path and the query must be shorter.")
    }

    /// 401, with the one scheme that a program can use.
    pub fn no_session() -> Self {
        Self::new(Code::NO_SESSION, "Log in first: there is no valid session.")
            .header(WWW_AUTHENTICATE, "Bearer")
    }

    /// 404: unknown, deleted, someone else's, or no id at all. They must look alike.
    pub fn not_found() -> Self {
        Self::new(Code::NOT_FOUND, "There is nothing here for you.")
    }

    /// 412, with the version to look at next.
    pub fn stale(current: Version) -> Self {
        Self::new(
            Code::STALE_VERSION,
            "It was changed by someone else. Read the current version, then decide again.",
        )
        .more("current_version", json!(current))
        .header(ETAG, &etag(current))
    }

    /// 422: the Idempotency-Key named another request.
    pub fn key_reused() -> Self {
        let detail = "This Idempotency-Key was used for another request. Take a new one.";
        Self::new(Code::KEY_REUSED, detail)
    }

    /// 429, with the whole seconds after which it is worth trying again.
    pub fn too_many(detail: impl Into<Cow<'static, str>>, wait: Duration) -> Self {
        Self::new(Code::TOO_MANY_ATTEMPTS, detail)
            .header(RETRY_AFTER, &wait.as_millis().div_ceil(1_000).max(1).to_string())
    }

    /// 500: nothing the client did.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "Something failed on our side. Trying again may help.";
        let mut problem = Self::new(Code::INTERNAL_ERROR, detail);
        problem.0.cause = Some(cause.into());
        problem
    }

    /// 503: worth trying again soon.
    pub fn busy(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "Too much at once. Try again in a moment.";
        let mut problem = Self::new(Code::BUSY, detail).header(RETRY_AFTER, "1");
        problem.0.cause = Some(cause.into());
        problem
    }

    /// Adds a member to the problem's body.
    #[must_use]
    pub fn more(mut self, name: &str, value: Value) -> Self {
        self.0.more.insert(name.to_owned(), value);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("headers of problems are ASCII");
        self.0.headers.push((name, value));
        self
    }

    pub const fn status(&self) -> StatusCode {
        self.0.code.status
    }

    pub const fn code(&self) -> &'static str {
        self.0.code.name
    }

    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.0.cause.as_deref()
    }

    pub fn into_response(self, request_id: &str) -> Response {
        let Inner { code, detail, field, more, headers, cause: _ } = *self.0;
        let Code { status, name, .. } = code;
        let mut body = more;
        body.insert("type".into(), "about:blank".into());
        body.insert("title".into(), status.canonical_reason().unwrap_or("Error").into());
        body.insert("status".into(), status.as_u16().into());
        body.insert("code".into(), name.into());
        let detail: String = detail.chars().take(DETAIL_CHARS_MAX).collect();
        body.insert("detail".into(), detail.into());
        body.insert("request_id".into(), request_id.into());
        if let Some(field) = field {
            body.insert("field".into(), field.into());
        }
        let mut response = Response::new(Body::Text(Value::Object(body).to_string()));
        *response.status_mut() = status;
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, problem);
        response.headers_mut().extend(headers);
        response
    }
}

impl From<Missing> for Problem {
    fn from(_: Missing) -> Self {
        Self::not_found()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy | StoreError::Throttled(_) => Self::busy(error),
            other => Self::internal(other),
        }
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Exists | WriteError::ShortNameTaken => {
                Self::new(Code::EXISTS, "There is one of this id or name already.")
            }
            WriteError::Suspended => {
                Self::new(Code::SUSPENDED, "Nobody works at this company for now.")
            }
            WriteError::Stale { current: Some(current) } => Self::stale(current),
            WriteError::Stale { current: None } => Self::not_found(),
            WriteError::Repeated(_) => Self::new(
                Code::KEY_IN_USE,
                "A request with this Idempotency-Key was made at the same time.",
            ),
            WriteError::Store(error) => error.into(),
        }
    }
}
