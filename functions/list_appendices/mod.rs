//! `GET /v1/records/{record_id}/appendices?cursor=`: a record's appendices with all their versions.
//! Any role. A version whose bytes have not arrived is shown as pending.

use am_http::{Cursor, Problem, Request, Response, StatusCode, json, live, open_and};
use domain::{RecordId, Role};
use runtime::HttpFunction;
use serde::Serialize;
use store::{ListAppendices, Store, Wanted};

use crate::shapes::AppendixView;

#[derive(Serialize)]
struct Answer {
    appendices: Vec<AppendixView>,
    next_cursor: Option<String>,
}

/// What the function is made of and what it does.
pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    build: |env| env.store(),
    handle: |store, request| Box::pin(handle(store, request)),
};

pub async fn handle(store: &Store, request: &Request) -> Result<Response, Problem> {
    let record_id: RecordId = request.path("record_id")?;
    let after = request.cursor()?;
    let question = ListAppendices { record: record_id, after, items: ListAppendices::ITEMS };
    let wanted = Wanted { record: Some(record_id), ..Wanted::default() };
    let (opened, page) = open_and(store, request, Role::Viewer, wanted, question).await?;
    live(opened.record)?;
    let appendices = page.appendices.iter().map(AppendixView::from).collect();
    let next_cursor = page.next_after.map(|id| Cursor(id).to_string());
    Ok(json(StatusCode::OK, &Answer { appendices, next_cursor }))
}
