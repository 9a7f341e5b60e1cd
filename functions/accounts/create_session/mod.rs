//! `POST /v1/sessions`: logs a person in with a name and a password, at one of their companies. Anyone may try, ten
//! times in each quarter of an hour by the clock.

use am_http::{
    Answer, Code, Declaration, Handle, Once, Parameter, Problem, Request, RequestBody, Response,
    ResponseHeader, Route, StatusCode, Who,
};
use domain::{
    CustomerId, Email, Entropy, Language, SessionToken, SignInName, Timestamp, UserId, entropy,
};
use lambda_http::http::header::ACCEPT_LANGUAGE;
use passwords::{Password, Passwords, Proof};
use runtime::{HttpFunction, OsEntropy};
use serde::{Deserialize, Serialize};
use serde_json::json as value;
use store::tenant::{
    Attempt, Company, Login, Membership, NewSession, Nothing, Place, Shown, Tries,
};
use store::{Event, EventKind, Store, WriteError};

use super::started::{Delivery, NO_COMPANY, StartedSession, answer, device, no_company};
use super::{WRONG_LOGIN, wrong_login};
use crate::post::Post;

/// Who logs in.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "LogIn"))]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(alias = "email")]
    sign_in_name: SignInName,
    password: Password,
    /// At which company, where the person belongs to several.
    customer_id: Option<CustomerId>,
    #[serde(default)]
    delivery: Delivery,
}

/// What is remembered of a log-in: enough to make the same token again, given the pepper and the
/// password.
#[derive(Serialize, Deserialize)]
struct Started {
    customer_id: CustomerId,
    user_id: UserId,
    nonce: [u8; 32],
    created_at: Timestamp,
}

const CHOOSE_COMPANY: Code = Code::new(
    StatusCode::CONFLICT,
    "choose_company",
    "This person belongs to several companies, which `companies` lists: send the `customer_id` of one.",
);
const SESSION_ENDED: Code = Code::new(
    StatusCode::CONFLICT,
    "session_ended",
    "The session of this Idempotency-Key has ended.",
);

pub const FUNCTION: HttpFunction<(Store, Passwords, Post)> = HttpFunction {
    declaration: Declaration {
        name: "create-session",
        routes: &[Route::post("/v1/sessions")],
        summary: "Logs a person in",
        parameters: &[Parameter::IDEMPOTENCY_KEY],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<StartedSession>(StatusCode::CREATED, "Logged in.")
            .with(&[ResponseHeader::SET_COOKIE])],
        problems: &[
            Code::CROSS_SITE_REQUEST,
            WRONG_LOGIN,
            CHOOSE_COMPANY,
            NO_COMPANY,
            Code::SUSPENDED,
            SESSION_ENDED,
            Code::TOO_MANY_ATTEMPTS,
            Code::BUSY,
        ],
    },
    build: |env| Ok((env.store()?, env.passwords()?, Post::build(env)?)),
    handle: Handle::Anyone(|(store, passwords, post), request| {
        Box::pin(handle(store, passwords, post, &OsEntropy, request))
    }),
};

pub async fn handle(
    store: &Store,
    passwords: &Passwords,
    post: &Post,
    entropy: &dyn Entropy,
    request: &Request,
) -> Result<Response, Problem> {
    request.refuse_other_sites()?;
    let Body { sign_in_name: name, password, customer_id, delivery } = request.json()?;
    let chosen = customer_id.map(|id| id.to_string());
    let parts = [name.as_str(), delivery.name()].into_iter().chain(chosen.as_deref());
    let once = Once::without_password(request, &parts.collect::<Vec<_>>())?;

    request.note(Who::Stranger {
        account: passwords.pseudonym(name.as_str()),
        source: passwords.pseudonym(&request.source()),
    });
    let device = device(request);
    let place = Place::new(&name, &request.source(), &device);
    let Entered { attempt, login, proof, tries } =
        check(store, passwords, entropy, request, &name, password, &place).await?;
    let member = choose(store, &login, customer_id).await?;
    let started = Started {
        customer_id: member.customer_id(),
        user_id: member.user,
        nonce: entropy::bytes(entropy),
        created_at: request.now(),
    };
    let token = token(&proof, &started);
    let (hash, remember) = (token.hash(), once.remember(&started));
    let is_new = tries.is_new_device(&place);
    let kind = if is_new { EventKind::LoggedInFromNewDevice } else { EventKind::LoggedIn };
    let event = Event::new(kind, None).from(&request.source(), &device);
    let new = NewSession {
        hash: &hash,
        device: &device,
        created_at: started.created_at,
        now: started.created_at,
        event: Some(&event),
    };
    let start = store.start_session(&login, &member, &new, Some(&remember));
    let forget = forget(store, attempt, &name);
    let place = remember_place(store, &name, &tries, &place, request);
    match futures_util::future::join3(start, forget, place).await.0 {
        Ok(()) => {
            if is_new {
                tell_person(post, request, &name, &device).await;
            }
            // Whoever sat at this browser before is not logged in any more.
            if let Some(presented) = request.session_cookie_token() {
                store.end_session(&presented).await?;
            }
            Ok(answer(request, &token, started.created_at, delivery))
        }
        Err(WriteError::Repeated(earlier)) => {
            let started: Started = once.answer(&earlier)?;
            repeated(store, &proof, request, &started, delivery).await
        }
        // Meanwhile the password was changed, or the person was removed.
        Err(WriteError::Stale { .. }) => {
            let left = store.companies(&login).await?;
            let is_there = left.iter().any(|it| it.id() == member.customer_id());
            Err(if is_there { wrong_login() } else { no_company() })
        }
        Err(error) => Err(error.into()),
    }
}

/// Somebody whose password was right.
struct Entered {
    attempt: Attempt,
    login: Login,
    proof: Proof,
    tries: Tries,
}

/// The account that the password opens. An unknown address costs the same work and gets the same
/// answer as a wrong password.
async fn check(
    store: &Store,
    passwords: &Passwords,
    entropy: &dyn Entropy,
    request: &Request,
    name: &SignInName,
    password: Password,
    place: &Place,
) -> Result<Entered, Problem> {
    let (source, now) = (request.source(), request.now());
    let (attempt, login, tries) = store.attempt_login(name, &source, place, now).await?;
    if let Some(wait) = attempt.refused_for(now) {
        let detail = "Too many attempts to log in from here. Wait a while.";
        return Err(Problem::too_many(detail, wait));
    }
    let stored = login.as_ref().map(|login| login.password.clone());
    let proof = passwords.verify(password.clone(), stored).await.map_err(Problem::busy)?;
    let (mut login, mut proof) = match (login, proof) {
        (Some(login), Some(proof)) => (login, proof),
        (login, _) => {
            let event = Event::new(EventKind::LogInFailed, None).from(&source, &device(request));
            let failure = store.note_failure(name, &tries, now);
            let told = store.tell_of(login.as_ref(), &event, now);
            futures_util::future::join(failure, told).await.0?;
            return Err(wrong_login());
        }
    };
    if proof.outdated {
        // A repetition makes the token by what is stored then.
        let (hash, renewed) =
            passwords.renew(password.clone(), entropy).await.map_err(Problem::busy)?;
        proof = if store.renew_password_hash(&login, &hash).await? {
            login.password = hash;
            renewed
        } else {
            login = store.login(name).await?.ok_or_else(wrong_login)?;
            let stored = Some(login.password.clone());
            let proof = passwords.verify(password, stored).await.map_err(Problem::busy)?;
            proof.ok_or_else(wrong_login)?
        };
    }
    Ok(Entered { attempt, login, proof, tries })
}

/// Remembers from where somebody has logged in. A failure costs nothing but a letter too many.
async fn remember_place(
    store: &Store,
    name: &SignInName,
    tries: &Tries,
    place: &Place,
    request: &Request,
) {
    if let Err(error) = store.note_place(name, tries, place, request.now()).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a place was not remembered");
    }
}

/// Tells a person that they have logged in with a device that they never used, where they have an address.
async fn tell_person(post: &Post, request: &Request, name: &SignInName, device: &str) {
    let Ok(email) = Email::try_from(name.as_str().to_owned()) else { return };
    let language = request.header(ACCEPT_LANGUAGE.as_str()).unwrap_or_default();
    let language = Language::preferred(language);
    let when = request.now().to_string();
    let letter = mail::new_device(language, device, &when, &post.log_in(request));
    // Whoever logs in does not wait for a letter that cannot be sent, and may work all the same.
    if post.mailer().is_ok() && post.send(&email, &letter).await.is_err() {
        tracing::warn!("nobody was told of a new device");
    }
}

/// At which company somebody works now: the only one, or the one that was named.
async fn choose(
    store: &Store,
    login: &Login,
    wanted: Option<CustomerId>,
) -> Result<Membership, Problem> {
    if let [only] = login.memberships.as_slice()
        && wanted.is_none_or(|wanted| wanted == only.customer_id())
    {
        // Whether it still is one is seen when the session starts.
        return Ok(*only);
    }
    let mut companies = store.companies(login).await?;
    companies.retain(|it| wanted.is_none_or(|wanted| wanted == it.id()));
    // Who has joined a company twice at the same moment is two users there: either will do.
    companies.sort_by_key(Company::id);
    companies.dedup_by_key(|it| it.id());
    match companies.as_slice() {
        [] => Err(no_company()),
        [only] => Ok(only.member),
        several => {
            let detail = "Say which company: send its id as customer_id.";
            let named = |it: &Company| value!({ "customer_id": it.id(), "name": it.name });
            let several: Vec<_> = several.iter().map(named).collect();
            Err(Problem::new(CHOOSE_COMPANY, detail).more("companies", several.into()))
        }
    }
}

/// Forgets wrong tries before the right one.
async fn forget(store: &Store, attempt: Attempt, name: &SignInName) {
    if let Err(error) = store.forget_attempts(&attempt, name).await {
        // They end by themselves, within a quarter of an hour.
        tracing::warn!(error = &error as &dyn std::error::Error, "attempts not forgotten");
    }
}

/// Answers a repeated log-in with the session that the first one started.
async fn repeated(
    store: &Store,
    proof: &Proof,
    request: &Request,
    started: &Started,
    delivery: Delivery,
) -> Result<Response, Problem> {
    let shown = Shown::Session(token(proof, started));
    if store.open(&shown, request.now(), (), Nothing).await?.is_none() {
        return Err(Problem::new(
            SESSION_ENDED,
            "The session of this Idempotency-Key has ended. Take a new key.",
        ));
    }
    Ok(answer(request, &token(proof, started), started.created_at, delivery))
}

fn token(proof: &Proof, started: &Started) -> SessionToken {
    let secret = proof.session_secret(&started.nonce);
    SessionToken::new(started.customer_id, started.user_id, secret)
}
