//! `POST /v1/people/{user_id}/password-resets`: makes what lets a colleague set a password who has forgotten theirs, and
//! has no address to send a link to. Admins and above, for those of no higher role. Only for a person with a name of the
//! company's own who belongs to no other company: nobody opens the data of another company so.

use std::time::Duration;

use am_http::{
    Answer, Code, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, json, not_stored,
};
use domain::{Entropy, ResetToken, Role, Timestamp, UserId, entropy};
use runtime::{HttpFunction, OsEntropy};
use serde::Serialize;
use store::tenant::{CardKey, CustomerKey, LetBy, UserKey};
use store::{Event, EventKind, Store};

/// So long the token is good.
pub const GOOD_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// What lets somebody set a password.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct PasswordResetToken {
    /// Shown this once.
    token: String,
    expires_at: Timestamp,
}

const NOT_OURS_TO_RESET: Code = Code::new(
    StatusCode::CONFLICT,
    "not_ours_to_reset",
    "The person logs in with an e-mail address, belongs to another company too, or has a higher role.",
);

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "let-reset-password",
        routes: &[Route::post("/v1/people/{user_id}/password-resets")],
        summary: "Lets a colleague set a password",
        parameters: &[Parameter::USER_ID],
        body: RequestBody::None,
        answers: &[Answer::json::<PasswordResetToken>(StatusCode::CREATED, "For a day, once.")],
        problems: &[NOT_OURS_TO_RESET],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Admin,
        |store| store,
        |store, request| Box::pin(handle(store, &OsEntropy, request)),
    ),
};

async fn handle(
    store: &Store,
    entropy: &dyn Entropy,
    request: SessionRequest<'_>,
) -> Result<Response, Problem> {
    let user: UserId = request.path("user_id")?;
    let opened = request.open(store, (UserKey(user), CardKey(user), CustomerKey)).await?;
    let (found, card, customer) = opened.found;
    let (person, session) = (found.existing()?, &opened.session);
    let company = customer.newest().map_err(|_| Problem::no_session())?.content.short_name;
    let company = company.as_ref().map(domain::ShortName::as_str);
    // Not one's own: that takes the current password.
    let may = person.content.role <= session.role && user != session.user;
    let card = card.filter(|card| may && company.is_some() && card.sign_in.company() == company);
    let card = card.ok_or_else(not_ours)?;
    let login = store.login(&card.sign_in).await?;
    let login = login.filter(|login| login.is_only_of(&session.customer)).ok_or_else(not_ours)?;
    let token = ResetToken::new(login.id(), entropy::bytes(entropy));
    let expires_at = request.now().after(GOOD_FOR);
    let let_by = LetBy { session, whom: user };
    store.keep_reset(&login, &token, Some(&let_by), expires_at).await?;
    let event = Event::new(EventKind::PasswordResetMade, Some(session.user)).about(user);
    store.tell(&session.customer, &event, request.now()).await;
    let answer = PasswordResetToken { token: token.expose(), expires_at };
    Ok(not_stored(json(StatusCode::CREATED, &answer)))
}

fn not_ours() -> Problem {
    let detail = "Only for somebody with a name of your company's own, who belongs to no other company and has no \
                  higher role than you. Others ask whoever runs the service.";
    Problem::new(NOT_OURS_TO_RESET, detail)
}
