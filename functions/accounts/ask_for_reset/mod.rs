//! `POST /v1/password-reset-requests`: sends a letter with a link, by which somebody sets a password who has forgotten
//! theirs. Anyone. The answer is always the same, and takes as long: nobody learns who has an account.

use am_http::{
    Answer, Code, Declaration, Handle, Problem, Request, RequestBody, Response, Route, StatusCode,
    empty,
};
use domain::{Email, Entropy, Language, ResetToken, SignUpToken, entropy};
use passwords::Passwords;
use runtime::{HttpFunction, OsEntropy};
use serde::Deserialize;
use store::Store;

use super::ask_to_sign_up;
use super::letters::{asked, at_a_tick, not_too_often};
use crate::people::let_reset::GOOD_FOR;
use crate::post::{NO_MAIL, Post};

/// Where the letter goes. Who logs in with a name of a company's own asks an admin there.
#[derive(Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(rename = "PasswordResetRequest")
)]
#[serde(deny_unknown_fields)]
struct Body {
    email: Email,
    #[serde(default)]
    language: Language,
}

pub const FUNCTION: HttpFunction<(Store, Passwords, Post)> = HttpFunction {
    declaration: Declaration {
        name: "ask-for-reset",
        routes: &[Route::post("/v1/password-reset-requests")],
        summary: "Sends a letter with a link to set a password",
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
    let (now, asked) = (request.now(), not_too_often(store, passwords, request, &email).await?);
    if asked.is_written {
        let secret = entropy::bytes(entropy);
        let letter = match asked.login {
            Some(login) => {
                let token = ResetToken::new(login.id(), secret);
                store.keep_reset(&login, &token, None, now.after(GOOD_FOR)).await?;
                mail::reset(language, &post.reset(request, &token))
            }
            // As much is kept, and sent: it says that there is no account, and how to get one.
            None => {
                let token = SignUpToken::new(secret);
                let expires_at = now.after(ask_to_sign_up::GOOD_FOR);
                store.keep_sign_up(&token, &email, expires_at).await?;
                mail::no_account(language, &post.sign_up(request, &token))
            }
        };
        post.send(&email, &letter).await?;
    }
    Ok(empty(StatusCode::ACCEPTED))
}
