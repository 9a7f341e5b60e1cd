//! `GET /v1/usage`: how much the company keeps, and may keep. Any role.

use am_http::{
    Answer, Declaration, Handle, Problem, RequestBody, Response, Route, SessionRequest, StatusCode,
    json,
};
use domain::Role;
use runtime::HttpFunction;
use serde::Serialize;
use store::Store;
use store::tenant::UsageKey;

use crate::shapes::KeptView;

/// How much is kept, and how much may be.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct UsageView {
    used: KeptView,
    quota: KeptView,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "get-usage",
        routes: &[Route::get("/v1/usage")],
        summary: "How much the company keeps, and may keep",
        parameters: &[],
        body: RequestBody::None,
        answers: &[Answer::json::<UsageView>(StatusCode::OK, "What is kept, and may be.")],
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
    let opened = request.open(store, UsageKey).await?;
    let standing = opened.found;
    let used = store.usage(&opened.session.customer, &standing).await?;
    let view = UsageView { used: used.into(), quota: standing.quota.into() };
    Ok(json(StatusCode::OK, &view))
}
