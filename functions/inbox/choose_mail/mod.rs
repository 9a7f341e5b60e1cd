//! `PUT /v1/inbox/mail`: whether whoever asks wants a mail each day of what they were told and have not read. Any role,
//! with an e-mail address.

use am_http::{
    Answer, Code, Declaration, Handle, Problem, RequestBody, Response, Route, SessionRequest,
    StatusCode, empty,
};
use domain::{Email, Role};
use runtime::HttpFunction;
use serde::Deserialize;
use store::Store;
use store::tenant::OwnCard;

use crate::post::{NO_MAIL, Post};

/// What is wanted.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "InboxMail"))]
#[serde(deny_unknown_fields)]
struct Body {
    daily: bool,
}

const NO_ADDRESS: Code = Code::new(
    StatusCode::CONFLICT,
    "no_address",
    "Whoever logs in with a name of a company's own has no address that mail goes to.",
);

pub const FUNCTION: HttpFunction<(Store, Post)> = HttpFunction {
    declaration: Declaration {
        name: "choose-inbox-mail",
        routes: &[Route::put("/v1/inbox/mail")],
        summary: "Whether a mail comes each day of what was not read",
        parameters: &[],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::empty(StatusCode::NO_CONTENT, "Noted.")],
        problems: &[NO_ADDRESS, NO_MAIL],
    },
    build: |env| Ok((env.store()?, Post::build(env)?)),
    handle: Handle::Session(
        Role::Viewer,
        |(store, _)| store,
        |(store, post), request| Box::pin(handle(store, post, request)),
    ),
};

async fn handle(
    store: &Store,
    post: &Post,
    request: SessionRequest<'_>,
) -> Result<Response, Problem> {
    let body = request.json::<Body>();
    let opened = request.open(store, OwnCard).await?;
    let Body { daily } = body?;
    if daily {
        let card = opened.found.or_else(|| opened.user.content.earlier_card());
        let sign_in = card.map(|card| card.sign_in.as_str().to_owned());
        if sign_in.is_none_or(|name| Email::try_from(name).is_err()) {
            let detail =
                "You log in with a name of your company's own: there is no address to write to.";
            return Err(Problem::new(NO_ADDRESS, detail));
        }
        post.mailer()?;
    }
    store.want_mail(&opened.session, daily).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
