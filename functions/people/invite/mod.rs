//! `POST /v1/invitations`: invites somebody into the company. Admins and above; only an owner invites owners. The token
//! in the answer is shown this once: whoever has it may come in, once. It needs no mail: print it, or say it by any way.
//! Where an address is given, the token is in a letter there and nowhere else, so whoever shows it has the address.

use std::time::Duration;

use am_http::{
    Answer, Code, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, json, not_stored,
};
use domain::{Email, Entropy, InvitationId, InvitationToken, Language, Revision, Role, entropy};
use runtime::{HttpFunction, OsEntropy};
use serde::{Deserialize, Serialize};
use store::tenant::{AnswerOfPeople, CustomerKey, ListInvitations, OwnCard};
use store::{Invitation, InvitationState, Store, WriteError};

use super::{OWNERS_ONLY, is_open};
use crate::post::{NO_MAIL, Post};
use crate::shapes::InvitationView;

const DAYS_MAX: u16 = 30;
const DAYS_DEFAULT: u16 = 7;

/// More than a company of thousands needs at once, and few enough to look through.
const OPEN_MAX: usize = 500;

const TOO_MANY_INVITATIONS: Code = Code::new(
    StatusCode::CONFLICT,
    "too_many_invitations",
    "The company has 500 open invitations.",
);

/// Whom to let in.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "NewInvitation"))]
#[serde(deny_unknown_fields)]
struct Body {
    role: Role,
    /// So many days it may be accepted, 1 to 30; 7 where nothing is said.
    #[cfg_attr(feature = "openapi", schemars(range(min = 1, max = 30)))]
    days: Option<u16>,
    /// Where a letter with the link goes.
    email: Option<Email>,
    /// Of the letter; the company's, where nothing is said.
    language: Option<Language>,
}

/// The invitation, and what opens it.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct InvitationWithToken {
    #[serde(flatten)]
    invitation: InvitationView,
    /// Shown this once. Absent where it was sent by mail, and where the request is a repetition: withdraw the
    /// invitation then, and make another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

pub const FUNCTION: HttpFunction<(Store, Post)> = HttpFunction {
    declaration: Declaration {
        name: "create-invitation",
        routes: &[Route::post("/v1/invitations")],
        summary: "Invites somebody into the company",
        parameters: &[Parameter::IDEMPOTENCY_KEY],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<InvitationWithToken>(StatusCode::CREATED, "Invited.")],
        problems: &[
            Code::INVALID_FIELD,
            OWNERS_ONLY,
            TOO_MANY_INVITATIONS,
            NO_MAIL,
            Code::TOO_MANY_ATTEMPTS,
        ],
    },
    build: |env| Ok((env.store()?, Post::build(env)?)),
    handle: Handle::Session(
        Role::Admin,
        |(store, _)| store,
        |(store, post), request| Box::pin(handle(store, post, &OsEntropy, request)),
    ),
};

async fn handle(
    store: &Store,
    post: &Post,
    entropy: &dyn Entropy,
    request: SessionRequest<'_>,
) -> Result<Response, Problem> {
    let once = Once::of(&request)?;
    let wanted = (AnswerOfPeople(once.key()), CustomerKey, OwnCard);
    let (opened, invitations) = request.open_and(store, wanted, ListInvitations).await?;
    let (earlier, customer, card) = opened.found;
    if let Some(earlier) = earlier {
        return Ok(answer(once.answer(&earlier)?, None));
    }
    let Body { role, days, email, language } = request.json()?;
    let days = days.unwrap_or(DAYS_DEFAULT);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(Problem::invalid("/days", format!("must be from 1 to {DAYS_MAX}")));
    }
    if role == Role::Owner && opened.session.role != Role::Owner {
        return Err(Problem::new(OWNERS_ONLY, "Only an owner may invite an owner."));
    }
    let (now, session) = (request.now(), &opened.session);
    let open = invitations.iter().filter(|it| is_open(&it.invitation.content, now)).count();
    if open >= OPEN_MAX {
        let detail = "There are too many open invitations. Withdraw some, or wait until they end.";
        return Err(Problem::new(TOO_MANY_INVITATIONS, detail));
    }
    let id = InvitationId::new(now, entropy);
    let token = InvitationToken::new(session.customer.id(), id, entropy::bytes(entropy));
    let invitation = Invitation {
        role,
        token_hash: token.hash().to_string(),
        expires_at: now.after(Duration::from_secs(u64::from(days) * 24 * 60 * 60)),
        state: InvitationState::Open,
    };
    let revision = Revision::first(invitation, session.user, now);
    let view = InvitationView::new(id, &revision, email.clone());
    if let Some(email) = &email {
        // Sent first: what nobody could be told of is not there.
        let company = customer.newest().map_err(|_| Problem::no_session())?.content;
        let language = language.or(company.language).unwrap_or_default();
        let inviter = card.as_ref().map(|card| &card.name);
        let link = post.invitation(&request, &token);
        if let Some(wait) = store.count_letter(email, now).await?.refused_for(now) {
            let detail = "This address got many letters already. Wait a while.";
            return Err(Problem::too_many(detail, wait));
        }
        post.send(email, &mail::invitation(language, &company.name, inviter, &link)).await?;
    }
    let remember = once.remember(&view);
    match store.create_invitation(session, id, &revision, email.as_ref(), &remember).await {
        Ok(()) => Ok(answer(view, Some(token).filter(|_| email.is_none()))),
        Err(WriteError::Repeated(earlier)) => Ok(answer(once.answer(&earlier)?, None)),
        Err(error) => Err(error.into()),
    }
}

fn answer(invitation: InvitationView, token: Option<InvitationToken>) -> Response {
    let token = token.map(|token| token.expose());
    not_stored(json(StatusCode::CREATED, &InvitationWithToken { invitation, token }))
}
