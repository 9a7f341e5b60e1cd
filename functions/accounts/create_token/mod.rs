//! `POST /v1/tokens`: lets a program in, such as an ERP or a machine, by a token that it shows in place of a session. Admins and
//! above. The token is shown this once. What the program changes is changed by an id of its own.

use std::time::Duration;

use am_http::{
    Answer, Code, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, json, not_stored,
};
use domain::{ApiToken, Entropy, PersonName, Revision, Role, Scope, UserId, entropy};
use runtime::{HttpFunction, OsEntropy};
use serde::{Deserialize, Serialize};
use store::tenant::{AnswerOfPeople, ListMachines, ListedMachine};
use store::{Machine, Store, UserProfile, WriteError};

use crate::shapes::TokenView;

const DAYS_MAX: u16 = 730;
const DAYS_DEFAULT: u16 = 365;

/// More than a company has programs, and few enough to look through.
const GOOD_MAX: usize = 100;

const TOO_MANY_TOKENS: Code =
    Code::new(StatusCode::CONFLICT, "too_many_tokens", "The company has 100 tokens that are good.");

/// What to let in.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "NewToken"))]
#[serde(deny_unknown_fields)]
struct Body {
    /// What the program is called.
    name: PersonName,
    /// At most your own, and no owner.
    #[cfg_attr(
        feature = "openapi",
        schemars(extend("enum" = ["viewer", "member", "admin"]))
    )]
    role: Role,
    /// What it is for; everything else is refused.
    #[cfg_attr(feature = "openapi", schemars(length(min = 1, max = 4)))]
    scopes: Vec<Scope>,
    /// So many days it is good, 1 to 730; 365 where nothing is said.
    #[cfg_attr(feature = "openapi", schemars(range(min = 1, max = 730)))]
    days: Option<u16>,
}

/// The token, and what it lets in.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct NewTokenWithSecret {
    #[serde(flatten)]
    view: TokenView,
    /// Shown this once. Absent where the request is a repetition: revoke it then, and make another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "create-token",
        routes: &[Route::post("/v1/tokens")],
        summary: "Lets a program in, by a token",
        parameters: &[Parameter::IDEMPOTENCY_KEY],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<NewTokenWithSecret>(StatusCode::CREATED, "Made.")],
        problems: &[TOO_MANY_TOKENS],
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
    let once = Once::of(&request)?;
    let wanted = AnswerOfPeople(once.key());
    let (opened, machines) = request.open_and(store, wanted, ListMachines).await?;
    if let Some(earlier) = &opened.found {
        return Ok(answer(once.answer(earlier)?, None));
    }
    let Body { name, role, mut scopes, days } = request.json()?;
    let days = days.unwrap_or(DAYS_DEFAULT);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(Problem::invalid("/days", format!("must be from 1 to {DAYS_MAX}")));
    }
    if scopes.is_empty() || scopes.len() > Scope::ALL.len() {
        return Err(Problem::invalid("/scopes", "must have 1 to 4 of them"));
    }
    if role > Role::Admin.min(opened.session.role) {
        return Err(Problem::invalid("/role", "must be admin at most, and at most your own"));
    }
    scopes.sort();
    scopes.dedup();
    let (now, session) = (request.now(), &opened.session);
    let is_good = |it: &&ListedMachine| it.is_good && it.machine.expires_at > now;
    if machines.iter().filter(is_good).count() >= GOOD_MAX {
        let detail = "There are too many tokens. Revoke those that nothing uses.";
        return Err(Problem::new(TOO_MANY_TOKENS, detail));
    }
    let user = UserId::new(now, entropy);
    let token = ApiToken::new(session.customer.id(), user, entropy::bytes(entropy));
    let machine = Machine {
        name,
        token_hash: token.hash().to_string(),
        scopes,
        expires_at: now.after(Duration::from_secs(u64::from(days) * 24 * 60 * 60)),
    };
    let profile =
        Revision::first(UserProfile::of_machine(role, machine.clone()), session.user, now);
    let view = TokenView::from(ListedMachine {
        user,
        profile: profile.clone(),
        machine: machine.clone(),
        is_good: true,
        used_at: None,
    });
    let remember = once.remember(&view);
    match store.create_machine(session, user, (&profile, &machine), &remember).await {
        Ok(()) => Ok(answer(view, Some(token))),
        Err(WriteError::Repeated(earlier)) => Ok(answer(once.answer(&earlier)?, None)),
        Err(error) => Err(error.into()),
    }
}

fn answer(view: TokenView, token: Option<ApiToken>) -> Response {
    let token = token.map(|token| token.expose());
    not_stored(json(StatusCode::CREATED, &NewTokenWithSecret { view, token }))
}
