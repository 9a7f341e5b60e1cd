//! `PUT /v1/records/{record_id}/follow`: whether whoever asks wants to be told of a record's changes. Any role. Who made it, or
//! is to work on it, is told unless they choose not to be.

use am_http::{
    Answer, Code, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, empty,
};
use domain::{RecordId, Role};
use runtime::HttpFunction;
use serde::Deserialize;
use store::Store;
use store::tenant::RecordKey;

/// What is wanted.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Follow"))]
#[serde(deny_unknown_fields)]
struct Body {
    follows: bool,
}

const TOO_MANY: Code = Code::new(
    StatusCode::CONFLICT,
    "too_many_followers",
    "Fifteen people have chosen to follow this record, or not to, and no more can.",
);

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "follow-record",
        routes: &[Route::put("/v1/records/{record_id}/follow")],
        summary: "Whether whoever asks is told of a record's changes",
        parameters: &[Parameter::RECORD_ID],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::empty(StatusCode::NO_CONTENT, "Noted.")],
        problems: &[TOO_MANY],
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
    let body = request.json::<Body>();
    let opened = request.open(store, RecordKey(record)).await?;
    opened.found.existing()?;
    if !store.follow(&opened.session, record, body?.follows).await? {
        return Err(Problem::new(TOO_MANY, "Fifteen people have chosen already."));
    }
    Ok(empty(StatusCode::NO_CONTENT))
}
