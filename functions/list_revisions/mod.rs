//! `GET /v1/records/{record_id}/revisions?limit=&cursor=`: a record's history, newest first: who
//! changed what, when. Any role. The history of a deleted record stays readable.

use am_http::{Cursor, Problem, Request, Response, StatusCode, json, open_and};
use domain::{RecordId, Role};
use runtime::HttpFunction;
use serde::Serialize;
use store::{ListRevisions, Store, Wanted};

use crate::shapes::RevisionView;

#[derive(Serialize)]
struct Answer {
    record_id: RecordId,
    revisions: Vec<RevisionView>,
    next_cursor: Option<String>,
}

/// What the function is made of and what it does.
pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    build: |env| env.store(),
    handle: |store, request| Box::pin(handle(store, request)),
};

pub async fn handle(store: &Store, request: &Request) -> Result<Response, Problem> {
    let record_id: RecordId = request.path("record_id")?;
    let question = ListRevisions {
        record: record_id,
        limit: request.page_limit()?,
        before: request.cursor()?,
    };
    let wanted = Wanted { record: Some(record_id), ..Wanted::default() };
    let (opened, page) = open_and(store, request, Role::Viewer, wanted, question).await?;
    opened.record.ok_or_else(Problem::not_found)?;
    let revisions = page.revisions.iter().map(RevisionView::from).collect();
    let next_cursor = page.next_before.map(|version| Cursor(version).to_string());
    Ok(json(StatusCode::OK, &Answer { record_id, revisions, next_cursor }))
}
