//! `GET /v1/session`: who am I? Any role.

use am_http::{
    Answer, Declaration, Handle, Problem, RequestBody, Response, Route, SessionRequest, StatusCode,
    json,
};
use domain::{Role, Timestamp};
use runtime::HttpFunction;
use serde::Serialize;
use store::Store;
use store::tenant::{CustomerKey, OwnCard};

use crate::shapes::{CustomerView, UserView};

/// Who is logged in, and until when.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct SessionView {
    customer: CustomerView,
    user: UserView,
    expires_at: Timestamp,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "get-session",
        routes: &[Route::get("/v1/session")],
        summary: "Who is logged in",
        parameters: &[],
        body: RequestBody::None,
        answers: &[Answer::json::<SessionView>(StatusCode::OK, "This person.")],
        problems: &[],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Viewer,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    let opened = request.open(store, (CustomerKey, OwnCard)).await?;
    let session = &opened.session;
    let (profile, card) = opened.found;
    let profile = profile.newest().map_err(|_| Problem::no_session())?;
    Ok(json(
        StatusCode::OK,
        &SessionView {
            customer: CustomerView::new(session.customer.id(), &profile),
            user: UserView::new(session.user, &opened.user.content, card),
            expires_at: session.expires_at,
        },
    ))
}
