//! `GET /v1/records/{record_id}/follow`: whether whoever asks is told of a record's changes. Any role.

use am_http::{
    Answer, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route, SessionRequest,
    StatusCode, json,
};
use domain::{RecordId, Role};
use runtime::HttpFunction;
use serde::Serialize;
use store::Store;
use store::tenant::{FollowersOf, RecordKey};

/// How it is.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Followed"))]
struct View {
    follows: bool,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "get-follow",
        routes: &[Route::get("/v1/records/{record_id}/follow")],
        summary: "Whether whoever asks is told of a record's changes",
        parameters: &[Parameter::RECORD_ID],
        body: RequestBody::None,
        answers: &[Answer::json::<View>(StatusCode::OK, "Whether they are.")],
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
    let record: RecordId = request.path("record_id")?;
    let opened = request.open(store, (RecordKey(record), FollowersOf(record))).await?;
    let (found, followers) = opened.found;
    let follows = followers.has(&found.existing()?, opened.session.user);
    Ok(json(StatusCode::OK, &View { follows }))
}
