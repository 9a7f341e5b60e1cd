//! Letters to people, and where the links in them lead.

use am_http::{Code, Problem, Request, StatusCode};
use domain::{Email, InvitationToken, ResetToken, SignUpToken};
use mail::{Letter, Mailer};
use runtime::{ConfigError, Env};

pub const NO_MAIL: Code = Code::new(
    StatusCode::CONFLICT,
    "no_mail",
    "This service sends no mail: whoever runs it makes links.",
);

/// What sends letters, and knows where the service is.
pub struct Post {
    mailer: Option<Mailer>,
    /// Where others find the service, where API Gateway does not say it: on one machine, and where nothing was asked.
    public_url: Option<String>,
}

impl Post {
    pub fn build(env: &Env<'_>) -> Result<Self, ConfigError> {
        Ok(Self { mailer: env.mailer()?, public_url: env.optional("PUBLIC_URL") })
    }

    /// Who sends, or the problem that nobody does.
    pub fn mailer(&self) -> Result<&Mailer, Problem> {
        let detail = "This service sends no mail. Ask whoever runs it for a link.";
        self.mailer.as_ref().ok_or_else(|| Problem::new(NO_MAIL, detail))
    }

    pub async fn send(&self, to: &Email, letter: &Letter) -> Result<(), Problem> {
        self.mailer()?.send(to, letter).await.map_err(Problem::internal)
    }

    /// Where the page to log in is.
    pub fn log_in(&self, request: &Request) -> String {
        format!("{}/", self.origin(request))
    }

    /// A page, for letters that no request leads to: where the service is has to be known then.
    pub fn page(&self, name: &str) -> String {
        format!("{}/{name}", self.public_url.as_deref().unwrap_or_default())
    }

    /// What is behind a `#` stays in the browser, so no log has a token.
    pub fn sign_up(&self, request: &Request, token: &SignUpToken) -> String {
        format!("{}/sign-up#{}", self.origin(request), token.expose())
    }

    pub fn reset(&self, request: &Request, token: &ResetToken) -> String {
        format!("{}/password#{}", self.origin(request), token.expose())
    }

    pub fn invitation(&self, request: &Request, token: &InvitationToken) -> String {
        format!("{}/invitation#{}", self.origin(request), token.expose())
    }

    /// Never what the client says: a link in a letter must lead to us.
    fn origin(&self, request: &Request) -> String {
        match &self.public_url {
            Some(url) => url.clone(),
            None => format!("https://{}", request.domain_name().unwrap_or_default()),
        }
    }
}
