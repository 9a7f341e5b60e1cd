//! `POST /v1/customers`: signs a company up, with the person who does so as its owner. Anyone who has the token of a
//! letter, and so the address that it was sent to.

use am_http::{
    Answer, Code, Declaration, Handle, Once, Parameter, Problem, Request, RequestBody, Response,
    Route, StatusCode, Who, json,
};
use domain::{
    CompanyName, CustomerId, Entropy, PersonName, Revision, Role, ShortName, SignInName,
    SignUpToken, UserId, entropy, form,
};
use passwords::{NewPassword, Passwords};
use runtime::{HttpFunction, OsEntropy};
use serde::{Deserialize, Serialize};
use store::tenant::SignUp;
use store::{CustomerProfile, PersonCard, Store, UserProfile, WriteError, begun_with};

use crate::new_password::accepted;
use crate::shapes::{CustomerView, UserView};

/// A company that signs up, and the person who does so.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "SignUp"))]
#[serde(deny_unknown_fields)]
struct Body {
    /// Of the link in the letter that `POST /v1/sign-ups` sends.
    token: SignUpToken,
    company: CompanyName,
    name: PersonName,
    password: NewPassword,
}

/// The new company and its owner.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct SignedUp {
    customer: CustomerView,
    user: UserView,
}

impl SignedUp {
    fn of(sign_up: &SignUp) -> Self {
        let (owner, card) = (&sign_up.owner.content, Some(sign_up.card.clone()));
        Self {
            customer: CustomerView::new(sign_up.customer_id, &sign_up.customer),
            user: UserView::new(sign_up.owner_id, owner, card),
        }
    }
}

/// Of a hundred thousand: where a thousand companies are called alike, all of these are taken once in 10^10 sign-ups.
const NUMBERS_TRIED: u32 = 5;

const SIGN_UP_ENDED: Code =
    Code::new(StatusCode::CONFLICT, "sign_up_ended", "The link is too old, or never was one.");
const EMAIL_TAKEN: Code = Code::new(
    StatusCode::CONFLICT,
    "email_taken",
    "Somebody has signed up with this e-mail address.",
);

pub const FUNCTION: HttpFunction<(Store, Passwords)> = HttpFunction {
    declaration: Declaration {
        name: "create-customer",
        routes: &[Route::post("/v1/customers")],
        summary: "Signs a company up, with the person who does so as its owner",
        parameters: &[Parameter::IDEMPOTENCY_KEY],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<SignedUp>(StatusCode::CREATED, "Signed up.")],
        problems: &[
            Code::CROSS_SITE_REQUEST,
            SIGN_UP_ENDED,
            EMAIL_TAKEN,
            Code::TOO_MANY_ATTEMPTS,
            Code::BUSY,
        ],
    },
    build: |env| Ok((env.store()?, env.passwords()?)),
    handle: Handle::Anyone(|(store, passwords), request| {
        Box::pin(handle(store, passwords, &OsEntropy, request))
    }),
};

pub async fn handle(
    store: &Store,
    passwords: &Passwords,
    entropy: &dyn Entropy,
    request: &Request,
) -> Result<Response, Problem> {
    request.refuse_other_sites()?;
    let Body { token, company, name, password } = request.json()?;
    let parts = [&token.hash().to_string(), company.as_str(), name.as_str()];
    let (now, once) = (request.now(), Once::without_password(request, &parts)?);
    let email = store
        .sign_up_of(&token, now)
        .await?
        .ok_or_else(|| Problem::new(SIGN_UP_ENDED, "This link is too old. Ask for a new one."))?;
    request.note(Who::Stranger {
        account: passwords.pseudonym(email.as_str()),
        source: passwords.pseudonym(&request.source()),
    });
    // Counted before anything is done for it; a repetition says whether the password is right.
    if let Some(wait) =
        store.attempt_sign_up(&email.clone().into(), &request.source(), now).await?.refused_for(now)
    {
        let detail = "Too many sign-ups from here. Wait a while.";
        return Err(Problem::too_many(detail, wait));
    }
    let name_of_login = SignInName::from(email.clone());
    let known = [email.as_str(), email.local_part(), company.as_str(), name.as_str()];
    let password = accepted(passwords, password, "/password", &known).await?;
    let owner_id = UserId::new(now, entropy);
    let owner = UserProfile::new(Role::Owner, begun_with(owner_id));
    let short_name = ShortName::suggested(&company, None);
    let profile = CustomerProfile::new(company, short_name);
    let mut sign_up = SignUp {
        customer_id: CustomerId::new(now, entropy),
        customer: Revision::first(profile, owner_id, now),
        owner_id,
        owner: Revision::first(owner, owner_id, now),
        card: PersonCard { name, sign_in: name_of_login.clone() },
        password: passwords.hash(password.clone(), entropy).await.map_err(Problem::busy)?,
        types: form::starters(),
    };
    let mut answer = SignedUp::of(&sign_up);
    let mut ended = store.sign_up(&sign_up, &once.remember(&answer)).await;
    for _ in 0..NUMBERS_TRIED {
        if !matches!(ended, Err(WriteError::ShortNameTaken)) {
            break;
        }
        // Of companies of one name, each has a number of its own.
        let number = u32::from_be_bytes(entropy::bytes(entropy));
        let company = &sign_up.customer.content.name;
        sign_up.customer.content.short_name = ShortName::suggested(company, Some(number));
        answer = SignedUp::of(&sign_up);
        ended = store.sign_up(&sign_up, &once.remember(&answer)).await;
    }
    match ended {
        Ok(()) => Ok(json(StatusCode::CREATED, &answer)),
        Err(WriteError::Repeated(earlier)) => {
            let answer: SignedUp = once.answer(&earlier)?;
            let stored = store.login(&name_of_login).await?.map(|login| login.password);
            let proof = passwords.verify(password, stored).await.map_err(Problem::busy)?;
            proof.ok_or_else(Problem::key_reused)?;
            Ok(json(StatusCode::CREATED, &answer))
        }
        Err(WriteError::Exists) => Err(Problem::new(
            EMAIL_TAKEN,
            "Somebody has signed up with this e-mail address. Log in instead.",
        )),
        Err(error) => Err(error.into()),
    }
}
