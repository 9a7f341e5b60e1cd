//! `GET /v1/session`: who am I? Any role.

use am_http::{Problem, Request, Response, StatusCode, json, open};
use domain::{Role, Timestamp};
use runtime::HttpFunction;
use serde::Serialize;
use store::{Store, Wanted};

use crate::shapes::{CustomerView, UserView};

#[derive(Serialize)]
struct Answer {
    customer: CustomerView,
    user: UserView,
    expires_at: Timestamp,
}

/// What the function is made of and what it does.
pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    build: |env| env.store(),
    handle: |store, request| Box::pin(handle(store, request)),
};

pub async fn handle(store: &Store, request: &Request) -> Result<Response, Problem> {
    let wanted = Wanted { profile: true, ..Wanted::default() };
    let opened = open(store, request, Role::Viewer, wanted).await?;
    let session = &opened.session;
    let profile = opened.profile.as_ref().ok_or_else(Problem::no_session)?;
    Ok(json(
        StatusCode::OK,
        &Answer {
            customer: CustomerView::new(session.customer.id(), profile),
            user: UserView::new(session.user, &opened.user),
            expires_at: session.expires_at,
        },
    ))
}
