//! `GET /v1/tokens`: the programs that were let in, the newest first, with their last use. Admins and above.

use am_http::{
    Answer, Declaration, Handle, Problem, RequestBody, Response, Route, SessionRequest, StatusCode,
    json,
};
use domain::Role;
use runtime::HttpFunction;
use serde::Serialize;
use store::Store;
use store::tenant::ListMachines;

use crate::shapes::TokenView;

/// Tokens of the company.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct Tokens {
    tokens: Vec<TokenView>,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "list-tokens",
        routes: &[Route::get("/v1/tokens")],
        summary: "The programs that were let in, the newest first",
        parameters: &[],
        body: RequestBody::None,
        answers: &[Answer::json::<Tokens>(StatusCode::OK, "All of them.")],
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
    let (_, machines) = request.open_and(store, (), ListMachines).await?;
    let tokens = machines.into_iter().map(TokenView::from).collect();
    Ok(json(StatusCode::OK, &Tokens { tokens }))
}
