//! How a client shows its session: a bearer token (apps) or a `__Host-` cookie (browsers), and the
//! rule that keeps other sites from using a browser's cookie.

use domain::SessionToken;
use lambda_http::http::Method;

use store::tenant::Shown;

use crate::{Code, Problem, Request};

/// The `__Host-` prefix makes browsers insist on Secure, Path=/ and no Domain (RFC 6265bis).
pub const SESSION_COOKIE: &str = "__Host-session";

/// The Set-Cookie value that hands a session to a browser for `max_age_s` seconds.
pub fn session_cookie(token: &SessionToken, max_age_s: u64) -> String {
    format!("{SESSION_COOKIE}={}; {COOKIE_ATTRIBUTES}; Max-Age={max_age_s}", token.expose())
}

/// The Set-Cookie value that takes it away.
pub fn end_cookie() -> String {
    format!("{SESSION_COOKIE}=; {COOKIE_ATTRIBUTES}; Max-Age=0")
}

const COOKIE_ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

impl Request {
    /// The token that the client shows. An Authorization header is used alone: a client that sends
    /// one does not mean its cookie.
    pub fn session_token(&self) -> Result<SessionToken, Problem> {
        if self.shows_bearer() {
            return self.bearer().and_then(|it| it.parse().ok()).ok_or_else(Problem::no_session);
        }
        let token = self.session_cookie_token().ok_or_else(Problem::no_session)?;
        self.refuse_other_sites()?;
        Ok(token)
    }

    /// What the client shows: a session, or an API token.
    pub(crate) fn shown(&self) -> Result<Shown, Problem> {
        match self.bearer().and_then(|it| it.parse().ok()) {
            Some(token) => Ok(Shown::Token(token)),
            None => self.session_token().map(Shown::Session),
        }
    }

    /// What an Authorization header of the scheme Bearer holds.
    fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// Whether the session is shown by a header, as apps do: a cookie beside it is somebody else's matter.
    pub fn shows_bearer(&self) -> bool {
        self.headers().contains_key("authorization")
    }

    /// The session of the browser's cookie, verified or not.
    pub fn session_cookie_token(&self) -> Option<SessionToken> {
        // As bytes: what other cookies hold must not matter, be it ASCII or not.
        self.headers()
            .get_all("cookie")
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
            .filter_map(|pair| str::from_utf8(pair.trim_ascii()).ok()?.split_once('='))
            .find(|(name, _)| *name == SESSION_COOKIE)
            .and_then(|(_, token)| token.parse().ok())
    }

    /// Refuses a change that another site's page asks a browser for. Browsers say where a request
    /// comes from in Sec-Fetch-Site, older ones in Origin; what says neither is no browser.
    pub fn refuse_other_sites(&self) -> Result<(), Problem> {
        if matches!(*self.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
            return Ok(());
        }
        // What is there and is no text comes from no browser that means well.
        let sent = |name: &str| {
            self.headers().contains_key(name).then(|| self.header(name).unwrap_or_default())
        };
        let ours = match (sent("sec-fetch-site"), sent("origin")) {
            (Some(site), _) => matches!(site, "same-origin" | "none"),
            (None, Some(origin)) => {
                let origin_host = origin.split_once("://").map(|(_, host)| host);
                origin_host.is_some() && origin_host == self.host()
            }
            (None, None) => true,
        };
        if ours {
            return Ok(());
        }
        Err(Problem::new(Code::CROSS_SITE_REQUEST, "Another site's page may not ask for this."))
    }
}
