//! A session that starts: how it is handed over.

use am_http::{
    Code, Problem, Request, Response, StatusCode, json, not_stored, session_cookie, with_header,
};
use domain::{CustomerId, SessionToken, Timestamp, UserId};
use lambda_http::http::header::{SET_COOKIE, USER_AGENT};
use serde::{Deserialize, Serialize};
use store::tenant::SESSION_LIFETIME;

/// So much is kept of what a client calls itself.
const DEVICE_CHARS_MAX: usize = 200;

/// How the client wants its session: a token to keep, or a cookie that no script can read.
#[derive(Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    #[default]
    Token,
    Cookie,
}

impl Delivery {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Cookie => "cookie",
        }
    }
}

/// The session that was started.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct StartedSession {
    /// Absent where the session is a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    customer_id: CustomerId,
    user_id: UserId,
    expires_at: Timestamp,
}

pub const NO_COMPANY: Code = Code::new(
    StatusCode::FORBIDDEN,
    "no_company",
    "The password is right, but the person does not belong to this company, or to none any more.",
);
pub fn no_company() -> Problem {
    let detail = "You do not belong to this company, or to none any more. Ask for an invitation.";
    Problem::new(NO_COMPANY, detail)
}

/// What the client calls itself.
pub fn device(request: &Request) -> String {
    request.header(USER_AGENT.as_str()).unwrap_or_default().chars().take(DEVICE_CHARS_MAX).collect()
}

/// Hands a session over that was started at `created_at`.
pub fn answer(
    request: &Request,
    token: &SessionToken,
    created_at: Timestamp,
    delivery: Delivery,
) -> Response {
    let expires_at = created_at.after(SESSION_LIFETIME);
    let answer = StartedSession {
        token: (delivery == Delivery::Token).then(|| token.expose()),
        customer_id: token.customer,
        user_id: token.user,
        expires_at,
    };
    let response = not_stored(json(StatusCode::CREATED, &answer));
    match delivery {
        Delivery::Token => response,
        Delivery::Cookie => {
            let max_age_s = expires_at.since(request.now()).as_secs();
            with_header(response, SET_COOKIE, &session_cookie(token, max_age_s))
        }
    }
}
