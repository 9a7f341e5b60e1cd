//! `GET /v1/invitations`: the newest thousand invitations, the newest first. Admins and above.

use am_http::{
    Answer, Declaration, Handle, Problem, RequestBody, Response, Route, SessionRequest, StatusCode,
    json,
};
use domain::Role;
use runtime::HttpFunction;
use serde::Serialize;
use store::Store;
use store::tenant::ListInvitations;

use crate::shapes::InvitationView;

/// More than may be open at once.
const SHOWN_MAX: usize = 1000;

/// Invitations of the company.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct Invitations {
    invitations: Vec<InvitationView>,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "list-invitations",
        routes: &[Route::get("/v1/invitations")],
        summary: "The newest thousand invitations, the newest first",
        parameters: &[],
        body: RequestBody::None,
        answers: &[Answer::json::<Invitations>(StatusCode::OK, "The newest of them.")],
        problems: &[],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Admin,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    let (_, invitations) = request.open_and(store, (), ListInvitations).await?;
    let invitations = invitations.into_iter().take(SHOWN_MAX).map(InvitationView::from).collect();
    Ok(json(StatusCode::OK, &Invitations { invitations }))
}
