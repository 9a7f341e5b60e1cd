//! `GET /v1/records/{record_id}/appendices?cursor=`: a record's appendices with all their versions.
//! Any role. A version whose bytes have not arrived is shown as pending.

use am_http::{
    Answer, Cursor, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, json,
};
use domain::{RecordId, Role};
use runtime::HttpFunction;
use serde::Serialize;
use store::Store;
use store::tenant::{ListAppendices, RecordKey};

use crate::shapes::AppendixView;

/// Some of a record's appendices, each with all of its versions.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct AppendixList {
    appendices: Vec<AppendixView>,
    /// Where the next page starts; null at the end.
    next_cursor: Option<String>,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "list-appendices",
        routes: &[Route::get("/v1/records/{record_id}/appendices")],
        summary: "A record's appendices with all their versions",
        parameters: &[Parameter::RECORD_ID, Parameter::CURSOR],
        body: RequestBody::None,
        answers: &[Answer::json::<AppendixList>(StatusCode::OK, "A page of them.")],
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
    let record_id: RecordId = request.path("record_id")?;
    let after = request.cursor()?;
    let question = ListAppendices { record: record_id, after, items: ListAppendices::ITEMS };
    let (opened, page) = request.open_and(store, RecordKey(record_id), question).await?;
    opened.found.existing()?;
    let appendices = page.appendices.iter().map(AppendixView::from).collect();
    let next_cursor = page.next_after.map(|id| Cursor(id).to_string());
    Ok(json(StatusCode::OK, &AppendixList { appendices, next_cursor }))
}
