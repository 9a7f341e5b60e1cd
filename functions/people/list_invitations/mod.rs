//! `GET /v1/invitations`: every invitation, the newest first. Admins and above.

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

/// All invitations of the company.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct Invitations {
    invitations: Vec<InvitationView>,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "list-invitations",
        routes: &[Route::get("/v1/invitations")],
        summary: "Every invitation, the newest first",
        parameters: &[],
        body: RequestBody::None,
        answers: &[Answer::json::<Invitations>(StatusCode::OK, "All of them.")],
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
    let invitations = invitations.iter().map(|(id, it)| InvitationView::new(*id, it)).collect();
    Ok(json(StatusCode::OK, &Invitations { invitations }))
}
