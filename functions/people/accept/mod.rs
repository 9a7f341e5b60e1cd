//! `POST /v1/acceptances`: a new person comes in by an invitation, with a name of the company's own. Anyone who has its
//! token. Of 50 at once, one comes in.
//!
//! The name is `eva@verkstad`, or the address that the invitation was sent to: whoever has its token has read a letter
//! there. So nobody learns here whether another address has a login.

use am_http::{
    Answer, Code, Declaration, Handle, Parameter, Problem, Request, RequestBody, Response, Route,
    StatusCode,
};
use domain::{Entropy, InvitationToken, PersonName, SignInName, UserId};
use passwords::{NewPassword, Passwords};
use runtime::{HttpFunction, OsEntropy};
use serde::Deserialize;
use store::tenant::ComesAs;
use store::{PersonCard, Store};

use super::{Accepted, Entry, INVITATION_ENDED, NAME_TAKEN, is_open};
use crate::new_password::accepted;

/// Who comes in.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Acceptance"))]
#[serde(deny_unknown_fields)]
struct Body {
    token: InvitationToken,
    name: PersonName,
    /// Ends in the company's short name: `eva@verkstad`. Or the address that the invitation was sent to.
    sign_in_name: SignInName,
    password: NewPassword,
}

pub const FUNCTION: HttpFunction<(Store, Passwords)> = HttpFunction {
    declaration: Declaration {
        name: "accept-invitation",
        routes: &[Route::post("/v1/acceptances")],
        summary: "Comes in by an invitation, as a new person",
        parameters: &[Parameter::IDEMPOTENCY_KEY],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<Accepted>(StatusCode::CREATED, "Come in: log in next.")],
        problems: &[
            Code::CROSS_SITE_REQUEST,
            Code::NOT_FOUND,
            INVITATION_ENDED,
            NAME_TAKEN,
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
    let (entry, _) = Entry::count(store, passwords, request, &token, &card).await?;
    let invited = store.invited(&token).await?.ok_or_else(Problem::not_found)?;
    let company = &invited.company.content;
    let Some(short_name) = company.short_name.as_ref() else {
        let rule = "cannot be chosen yet: the company has no short name";
        return Err(Problem::invalid("/sign_in_name", rule));
    };
    let sent_to = invited.sent_to.clone().map(SignInName::from);
    let is_ours = card.sign_in.company() == Some(short_name.as_str());
    if !is_ours && sent_to.as_ref() != Some(&card.sign_in) {
        let or =
            if sent_to.is_some() { ", or be the address that the invitation came to" } else { "" };
        return Err(Problem::invalid("/sign_in_name", format!("must end in @{short_name}{or}"))
            .more("rule", "name_of_another_company".into()));
    }
    let words =
        [card.sign_in.local_part(), short_name.as_str(), company.name.as_str(), card.name.as_str()];
    let password = accepted(passwords, password, "/password", &words).await?;
    if !invited.is_backed || !is_open(&invited.invitation.content, request.now()) {
        return entry.again(password).await;
    }
    let hash = passwords.hash(password.clone(), entropy).await.map_err(Problem::busy)?;
    let user = UserId::new(request.now(), entropy);
    entry.come_in(&invited, user, card, ComesAs::New(&hash), password).await
}
