//! `POST /v1/sign-ups`: sends a letter with a link, by which somebody signs a company up under an address that is theirs.
//! Anyone. The answer is always the same, and takes as long: nobody learns who has an account.

use std::time::Duration;

use am_http::{
    Answer, Code, Declaration, Handle, Problem, Request, RequestBody, Response, Route, StatusCode,
    empty,
};
use domain::{Email, Entropy, Language, SignUpToken, entropy};
use passwords::Passwords;
use runtime::{HttpFunction, OsEntropy};
use serde::Deserialize;
use store::Store;

use super::letters::{asked, at_a_tick, not_too_often};
use crate::post::{NO_MAIL, Post};

/// So long a link is good.
pub const GOOD_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Where the letter goes.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "SignUpRequest"))]
#[serde(deny_unknown_fields)]
struct Body {
    email: Email,
    #[serde(default)]
    language: Language,
}

pub const FUNCTION: HttpFunction<(Store, Passwords, Post)> = HttpFunction {
    declaration: Declaration {
        name: "ask-to-sign-up",
        routes: &[Route::post("/v1/sign-ups")],
        summary: "Sends a letter with a link to sign up",
        parameters: &[],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::empty(StatusCode::ACCEPTED, "Whoever has the address finds a letter.")],
        problems: &[Code::CROSS_SITE_REQUEST, NO_MAIL, Code::TOO_MANY_ATTEMPTS],
    },
    build: |env| Ok((env.store()?, env.passwords()?, Post::build(env)?)),
    handle: Handle::Anyone(|(store, passwords, post), request| {
        Box::pin(at_a_tick(handle(store, passwords, post, &OsEntropy, request)))
    }),
};

async fn handle(
    store: &Store,
    passwords: &Passwords,
    post: &Post,
    entropy: &dyn Entropy,
    request: &Request,
) -> Result<Response, Problem> {
    let Body { email, language } = asked(request, post)?;
    let asked = not_too_often(store, passwords, request, &email).await?;
    if asked.is_written {
        // Who has an account gets a letter too, and as much is kept for them.
        let token = SignUpToken::new(entropy::bytes(entropy));
        store.keep_sign_up(&token, &email, request.now().after(GOOD_FOR)).await?;
        let letter = match asked.login {
            Some(_) => mail::signed_up_before(language, &post.log_in(request)),
            None => mail::sign_up(language, &post.sign_up(request, &token)),
        };
        post.send(&email, &letter).await?;
    }
    Ok(empty(StatusCode::ACCEPTED))
}
