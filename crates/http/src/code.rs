//! The stable codes of problems: what a program can rely on. Those that many endpoints give are here;
//! one that a single endpoint gives is beside its handler.

use lambda_http::http::StatusCode;

/// A status, a stable name for programs, and what it means to whoever reads the API's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    pub status: StatusCode,
    pub name: &'static str,
    pub meaning: &'static str,
}

impl Code {
    pub const fn new(status: StatusCode, name: &'static str, meaning: &'static str) -> Self {
        Self { status, name, meaning }
    }

    pub const MALFORMED_JSON: Self =
        Self::new(StatusCode::BAD_REQUEST, "malformed_json", "The body is not JSON.");
    pub const KEY_MISSING: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "idempotency_key_missing",
        "The header Idempotency-Key is missing.",
    );
    pub const KEY_INVALID: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "idempotency_key_invalid",
        "The header Idempotency-Key is no key.",
    );
    pub const NO_SESSION: Self =
        Self::new(StatusCode::UNAUTHORIZED, "no_session", "There is no valid session.");
    pub const ROLE_TOO_LOW: Self =
        Self::new(StatusCode::FORBIDDEN, "role_too_low", "This needs a higher role.");
    pub const NOT_IN_SCOPE: Self = Self::new(
        StatusCode::FORBIDDEN,
        "not_in_scope",
        "The API token was made for other endpoints; some are for people alone.",
    );
    pub const CROSS_SITE_REQUEST: Self = Self::new(
        StatusCode::FORBIDDEN,
        "cross_site_request",
        "A page of another site asks for this, with a cookie.",
    );
    pub const NOT_FOUND: Self =
        Self::new(StatusCode::NOT_FOUND, "not_found", "It is unknown, deleted, or not yours.");
    pub const METHOD_NOT_ALLOWED: Self = Self::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This path knows other methods; Allow names them.",
    );
    pub const EXISTS: Self =
        Self::new(StatusCode::CONFLICT, "exists", "There is one with this id already.");
    pub const SUSPENDED: Self = Self::new(
        StatusCode::FORBIDDEN,
        "suspended",
        "Nobody works at this company for now: ask whoever runs the service.",
    );
    pub const KEY_IN_USE: Self = Self::new(
        StatusCode::CONFLICT,
        "idempotency_key_in_use",
        "A request with this Idempotency-Key was made at the same time.",
    );
    pub const STALE_VERSION: Self = Self::new(
        StatusCode::PRECONDITION_FAILED,
        "stale_version",
        "It was changed since; current_version says which version it is at.",
    );
    pub const QUOTA_EXCEEDED: Self = Self::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "quota_exceeded",
        "The company keeps as much as it may: GET /v1/usage says how much. Whoever runs the service raises it.",
    );
    pub const URI_TOO_LONG: Self =
        Self::new(StatusCode::URI_TOO_LONG, "uri_too_long", "The path and the query are too long.");
    pub const BODY_TOO_LARGE: Self =
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large.");
    pub const NOT_JSON: Self = Self::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not_json",
        "The body is not sent as application/json.",
    );
    pub const INVALID_FIELD: Self = Self::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid_field",
        "The value at field breaks the rule that detail says.",
    );
    pub const KEY_REUSED: Self = Self::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency_key_reused",
        "This Idempotency-Key was used for another request.",
    );
    pub const IF_MATCH_REQUIRED: Self = Self::new(
        StatusCode::PRECONDITION_REQUIRED,
        "if_match_required",
        "The header If-Match is missing, or does not name a version.",
    );
    pub const TOO_MANY_ATTEMPTS: Self = Self::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_attempts",
        "Too much was tried from there; Retry-After says when to try again.",
    );
    pub const INTERNAL_ERROR: Self = Self::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal_error",
        "Something failed on our side.",
    );
    pub const BUSY: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "busy",
        "Too much at once; Retry-After says when to try again.",
    );
}
