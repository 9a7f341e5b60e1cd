//! `POST /v1/customers`: signs a company up, with the person who does so as its owner. Anyone may.

use am_http::{Once, Problem, Request, Response, StatusCode, json};
use domain::{CompanyName, CustomerId, Email, Entropy, PersonName, Revision, Role, UserId};
use passwords::{Password, Passwords};
use serde::{Deserialize, Serialize};
use store::{CustomerProfile, SignUp, Store, UserProfile, WriteError};

use crate::shapes::{CustomerView, UserView};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    company: CompanyName,
    name: PersonName,
    email: Email,
    password: Password,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    customer: CustomerView,
    user: UserView,
}

pub async fn handle(
    store: &Store,
    passwords: &Passwords,
    entropy: &dyn Entropy,
    request: &Request,
) -> Result<Response, Problem> {
    request.refuse_other_sites()?;
    let Body { company, name, email, password } = request.json()?;
    let parts = [company.as_str(), name.as_str(), email.as_str()].map(str::as_bytes);
    let once = Once::with_fingerprint(request, passwords.fingerprint(&parts, &password))?;
    let known = [email.as_str(), email.local_part(), company.as_str(), name.as_str()];
    password
        .check_as_new(&known)
        .map_err(|rule| Problem::invalid("/password", rule.to_string()))?;

    let now = request.now();
    let owner_id = UserId::new(now, entropy);
    let owner = UserProfile { email, name, role: Role::Owner };
    let sign_up = SignUp {
        customer_id: CustomerId::new(now, entropy),
        customer: Revision::first(CustomerProfile { name: company }, owner_id, now),
        owner_id,
        owner: Revision::first(owner, owner_id, now),
        password: passwords.hash(password, entropy).await,
    };
    let answer = Answer {
        customer: CustomerView::new(sign_up.customer_id, &sign_up.customer),
        user: UserView::new(owner_id, &sign_up.owner),
    };
    match store.sign_up(&sign_up, &once.remember(&answer)).await {
        Ok(()) => Ok(json(StatusCode::CREATED, &answer)),
        Err(WriteError::Repeated(earlier)) => {
            Ok(json(StatusCode::CREATED, &once.answer::<Answer>(&earlier)?))
        }
        Err(WriteError::Exists) => Err(Problem::conflict(
            "email_taken",
            "Somebody has signed up with this e-mail address. Log in instead.",
        )),
        Err(error) => Err(error.into()),
    }
}
