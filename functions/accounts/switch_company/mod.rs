//! `PUT /v1/session`: the person works at another of their companies, without logging in anew. Any role. The session that
//! asks stays, so that they can go back.

use am_http::{
    Answer, Code, Declaration, Handle, Problem, RequestBody, Response, ResponseHeader, Route,
    SessionRequest, StatusCode,
};
use domain::{CustomerId, Entropy, Role, SessionToken, entropy};
use runtime::{HttpFunction, OsEntropy};
use serde::Deserialize;
use store::tenant::{NewSession, OwnCard};
use store::{Event, EventKind, Store, WriteError};

use super::started::{Delivery, NO_COMPANY, StartedSession, answer, device, no_company};

/// Where to work now.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "CompanySwitch"))]
#[serde(deny_unknown_fields)]
struct Body {
    customer_id: CustomerId,
    #[serde(default)]
    delivery: Delivery,
}

const LOG_IN_ANEW: Code = Code::new(
    StatusCode::FORBIDDEN,
    "log_in_anew",
    "The password was changed since this session began.",
);

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "switch-company",
        routes: &[Route::put("/v1/session")],
        summary: "Works at another company of the person's",
        parameters: &[],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<StartedSession>(StatusCode::CREATED, "A session there.")
            .with(&[ResponseHeader::SET_COOKIE])],
        problems: &[NO_COMPANY, LOG_IN_ANEW, Code::SUSPENDED],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Viewer,
        |store| store,
        |store, request| Box::pin(handle(store, &OsEntropy, request)),
    ),
};

async fn handle(
    store: &Store,
    entropy: &dyn Entropy,
    request: SessionRequest<'_>,
) -> Result<Response, Problem> {
    let opened = request.open(store, OwnCard).await?;
    let Body { customer_id, delivery } = request.json()?;
    let card =
        opened.found.or_else(|| opened.user.content.earlier_card()).ok_or_else(no_company)?;
    let login = store.login(&card.sign_in).await?.ok_or_else(no_company)?;
    let companies = store.companies(&login).await?;
    let there = companies.iter().find(|it| it.id() == customer_id).ok_or_else(no_company)?;
    // A session that the old password has started hands on to none.
    if !opened.session.is_of_password(&login) {
        let detail =
            "The password was changed since this session began. Log in anew to work elsewhere.";
        return Err(Problem::new(LOG_IN_ANEW, detail));
    }
    // It is as old as the one that asks; and what a script cannot read does not become what one can.
    let (member, created_at) = (there.member, opened.session.created_at);
    let delivery = if request.shows_bearer() { delivery } else { Delivery::Cookie };
    let token = SessionToken::new(customer_id, member.user, entropy::bytes(entropy));
    let (hash, device) = (token.hash(), device(&request));
    let event = Event::new(EventKind::LoggedIn, None).from(&request.source(), &device);
    let new = NewSession {
        hash: &hash,
        device: &device,
        created_at,
        now: request.now(),
        event: Some(&event),
    };
    match store.start_session(&login, &member, &new, None).await {
        Ok(()) => Ok(answer(&request, &token, created_at, delivery)),
        Err(WriteError::Stale { .. }) => Err(no_company()),
        Err(error) => Err(error.into()),
    }
}
