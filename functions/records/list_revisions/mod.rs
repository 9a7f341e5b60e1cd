//! `GET /v1/records/{record_id}/revisions?limit=&cursor=`: a record's history, newest first: who
//! changed what, when. Any role. The history of a deleted record stays readable.

use am_http::{
    Answer, Cursor, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, json,
};
use domain::{RecordId, Role};
use runtime::HttpFunction;
use serde::Serialize;
use store::Store;
use store::tenant::{ListRevisions, RecordKey};

use crate::shapes::RevisionView;

/// Some of a record's history.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct RevisionList {
    record_id: RecordId,
    revisions: Vec<RevisionView>,
    /// Where the next page starts; null at the end.
    next_cursor: Option<String>,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "list-revisions",
        routes: &[Route::get("/v1/records/{record_id}/revisions")],
        summary: "A record's history, newest first, of a deleted one too",
        parameters: &[Parameter::RECORD_ID, Parameter::LIMIT, Parameter::CURSOR],
        body: RequestBody::None,
        answers: &[Answer::json::<RevisionList>(StatusCode::OK, "A page of it.")],
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
    let question = ListRevisions {
        record: record_id,
        limit: request.page_limit()?,
        before: request.cursor()?,
    };
    let (opened, page) = request.open_and(store, RecordKey(record_id), question).await?;
    opened.found.newest()?;
    let revisions = page.revisions.iter().map(RevisionView::from).collect();
    let next_cursor = page.next_before.map(|version| Cursor(version).to_string());
    Ok(json(StatusCode::OK, &RevisionList { record_id, revisions, next_cursor }))
}
