//! `POST /v1/memberships`: somebody who has a login joins one more company, by an invitation. Anyone who has its token
//! and the login's password.

use am_http::{
    Answer, Code, Declaration, Handle, Parameter, Problem, Request, RequestBody, Response, Route,
    StatusCode,
};
use domain::{Entropy, InvitationToken, PersonName, SignInName, UserId};
use passwords::{Password, Passwords};
use runtime::{HttpFunction, OsEntropy};
use serde::Deserialize;
use store::tenant::ComesAs;
use store::{PersonCard, Store};

use super::{Accepted, Entry, INVITATION_ENDED, is_open};
use crate::accounts::{WRONG_LOGIN, wrong_login};

/// Who joins.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "NewMembership"))]
#[serde(deny_unknown_fields)]
struct Body {
    token: InvitationToken,
    /// What the person is called at this company.
    name: PersonName,
    sign_in_name: SignInName,
    password: Password,
}

const ALREADY_MEMBER: Code = Code::new(
    StatusCode::CONFLICT,
    "already_member",
    "This person belongs to the company already.",
);

pub const FUNCTION: HttpFunction<(Store, Passwords)> = HttpFunction {
    declaration: Declaration {
        name: "join-company",
        routes: &[Route::post("/v1/memberships")],
        summary: "Joins one more company by an invitation, as somebody who has a login",
        parameters: &[Parameter::IDEMPOTENCY_KEY],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<Accepted>(StatusCode::CREATED, "Joined: log in there next.")],
        problems: &[
            Code::CROSS_SITE_REQUEST,
            Code::NOT_FOUND,
            INVITATION_ENDED,
            ALREADY_MEMBER,
            WRONG_LOGIN,
            Code::TOO_MANY_ATTEMPTS,
            Code::BUSY,
        ],
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
    let Body { token, name, sign_in_name: sign_in, password } = request.json()?;
    let card = PersonCard { name, sign_in };
    let (entry, login) = Entry::count(store, passwords, request, &token, &card).await?;
    let stored = login.as_ref().map(|login| login.password.clone());
    let proof = passwords.verify(password.clone(), stored).await.map_err(Problem::busy)?;
    let (Some(login), Some(_)) = (login, proof) else {
        entry.failed().await?;
        return Err(wrong_login());
    };
    let invited = store.invited(&token).await?.ok_or_else(Problem::not_found)?;
    if !invited.is_backed || !is_open(&invited.invitation.content, request.now()) {
        return entry.again(password).await;
    }
    let companies = store.companies(&login).await?;
    if companies.iter().any(|it| it.id() == invited.customer_id()) {
        return Err(Problem::new(ALREADY_MEMBER, "You belong to this company already. Log in."));
    }
    let user = UserId::new(request.now(), entropy);
    entry.come_in(&invited, user, card, ComesAs::Known(&login), password).await
}
