//! `POST /v1/password-resets`: sets a password, by the token of a link, once. Anyone who has it. All sessions of the
//! person end.

use am_http::{
    Answer, Code, Declaration, Handle, Problem, Request, RequestBody, Response, Route, StatusCode,
    empty,
};
use domain::{Entropy, ResetToken};
use passwords::{NewPassword, Passwords};
use runtime::{HttpFunction, OsEntropy};
use serde::Deserialize;
use store::{Event, EventKind, Store, WriteError};

use super::device;

use crate::new_password::accepted;

/// The token of the link, and the password from now on.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "PasswordReset"))]
#[serde(deny_unknown_fields)]
struct Body {
    token: ResetToken,
    new_password: NewPassword,
}

const RESET_ENDED: Code = Code::new(
    StatusCode::CONFLICT,
    "reset_ended",
    "The link was used, is too old, or never was one.",
);

pub const FUNCTION: HttpFunction<(Store, Passwords)> = HttpFunction {
    declaration: Declaration {
        name: "reset-password",
        routes: &[Route::post("/v1/password-resets")],
        summary: "Sets a password, by the token of a link",
        parameters: &[],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::empty(StatusCode::NO_CONTENT, "Set: log in next.")],
        problems: &[Code::CROSS_SITE_REQUEST, RESET_ENDED, Code::BUSY],
    },
    build: |env| Ok((env.store()?, env.passwords()?)),
    handle: Handle::Anyone(|(store, passwords), request| {
        Box::pin(handle(store, passwords, &OsEntropy, request))
    }),
};

async fn handle(
    store: &Store,
    passwords: &Passwords,
    entropy: &dyn Entropy,
    request: &Request,
) -> Result<Response, Problem> {
    request.refuse_other_sites()?;
    let Body { token, new_password } = request.json()?;
    let login = store.reset_of(&token, request.now()).await?.ok_or_else(ended)?;
    let new = accepted(passwords, new_password, "/new_password", &[]).await?;
    let hash = passwords.hash(new, entropy).await.map_err(Problem::busy)?;
    let event =
        Event::new(EventKind::PasswordReset, None).from(&request.source(), &device(request));
    match store.reset_password(&login, &token, &hash, &event, request.now()).await {
        Ok(()) => {}
        Err(WriteError::Stale { .. }) => return Err(ended()),
        Err(error) => return Err(error.into()),
    }
    store.end_sessions(&login, None).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn ended() -> Problem {
    Problem::new(RESET_ENDED, "This link was used or is too old. Ask for a new one.")
}
