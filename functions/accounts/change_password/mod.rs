//! `PUT /v1/password`: the person takes another password, with the current one. Any role. All other sessions of theirs
//! end, at every company.

use am_http::{
    Answer, Code, Declaration, Handle, Problem, RequestBody, Response, Route, SessionRequest,
    StatusCode, empty,
};
use domain::{Entropy, Role};
use passwords::{NewPassword, Password, Passwords};
use runtime::{HttpFunction, OsEntropy};
use serde::Deserialize;
use store::tenant::{CustomerKey, OwnCard, Place};
use store::{Event, EventKind, Store};

use super::{WRONG_LOGIN, device, wrong_login};
use crate::new_password::accepted;

/// From which password to which.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "PasswordChange"))]
#[serde(deny_unknown_fields)]
struct Body {
    current_password: Password,
    new_password: NewPassword,
}

pub const FUNCTION: HttpFunction<(Store, Passwords)> = HttpFunction {
    declaration: Declaration {
        name: "change-password",
        routes: &[Route::put("/v1/password")],
        summary: "Takes another password",
        parameters: &[],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::empty(
            StatusCode::NO_CONTENT,
            "Taken. All other sessions of the person have ended.",
        )],
        problems: &[WRONG_LOGIN, Code::TOO_MANY_ATTEMPTS],
    },
    build: |env| Ok((env.store()?, env.passwords()?)),
    handle: Handle::Session(
        Role::Viewer,
        |(store, _)| store,
        |(store, passwords), request| Box::pin(handle(store, passwords, &OsEntropy, request)),
    ),
};

async fn handle(
    store: &Store,
    passwords: &Passwords,
    entropy: &dyn Entropy,
    request: SessionRequest<'_>,
) -> Result<Response, Problem> {
    let opened = request.open(store, (OwnCard, CustomerKey)).await?;
    let (card, customer) = opened.found;
    let Body { current_password, new_password } = request.json()?;
    let card = card.or_else(|| opened.user.content.earlier_card()).ok_or_else(wrong_login)?;
    let (now, own) = (request.now(), request.session_token()?.hash());
    // Counted as a log-in is: whoever has stolen a session does not guess at the password.
    let (name, source, device) = (&card.sign_in, request.source(), device(&request));
    let place = Place::new(name, &source, &device);
    let (attempt, login, tries) = store.attempt_login(name, &source, &place, now).await?;
    if let Some(wait) = attempt.refused_for(now) {
        return Err(Problem::too_many("Too many attempts from here. Wait a while.", wait));
    }
    let login = login.ok_or_else(wrong_login)?;
    let stored = Some(login.password.clone());
    let proof = passwords.verify(current_password, stored).await.map_err(Problem::busy)?;
    if proof.is_none() {
        store.note_failure(name, &tries, now).await?;
        return Err(wrong_login());
    }
    let company = customer.newest().map_err(|_| Problem::no_session())?.content.name;
    let words = [name.as_str(), name.local_part(), card.name.as_str(), company.as_str()];
    let new = accepted(passwords, new_password, "/new_password", &words).await?;
    let hash = passwords.hash(new, entropy).await.map_err(Problem::busy)?;
    // From here on no session starts by the old one, or is handed on from one that it has started. Of 50 at once, one finds
    // the password that it has seen.
    if !store.renew_password_hash(&login, &hash).await? {
        return Err(wrong_login());
    }
    store.end_sessions(&login, Some(&own)).await?;
    let event = Event::new(EventKind::PasswordChanged, None).from(&source, &device);
    store.tell_of(Some(&login), &event, now).await;
    Ok(empty(StatusCode::NO_CONTENT))
}
