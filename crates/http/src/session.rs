//! The door: no handler sees data before its session is verified and its role suffices.

use std::borrow::Borrow;

use domain::{Revision, Role};
use store::{Ask, Nothing, Opened, Store, Wanted};

use crate::{Problem, Request};

/// Verifies the session, demands at least `role`, and reads what is wanted, in one round trip.
pub async fn open(
    store: &Store,
    request: &Request,
    role: Role,
    wanted: Wanted<'_>,
) -> Result<Opened, Problem> {
    open_and(store, request, role, wanted, Nothing).await.map(|(opened, ())| opened)
}

/// Like [`open`], asking a question of the customer's data in the meantime.
pub async fn open_and<Q: Ask>(
    store: &Store,
    request: &Request,
    role: Role,
    wanted: Wanted<'_>,
    question: Q,
) -> Result<(Opened, Q::Answer), Problem> {
    let token = request.session_token()?;
    let (opened, answer) = store
        .open(&token, request.now(), wanted, question)
        .await?
        .ok_or_else(Problem::no_session)?;
    if opened.session.role < role {
        return Err(Problem::forbidden(
            "role_too_low",
            format!("This needs the role {role} or higher."),
        ));
    }
    Ok((opened, answer))
}

/// The thing that a request is about, if it is there and not deleted; otherwise 404.
pub fn live<T, R: Borrow<Revision<T>>>(found: Option<R>) -> Result<R, Problem> {
    found.filter(|it| !it.borrow().deleted).ok_or_else(Problem::not_found)
}
