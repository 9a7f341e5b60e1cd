//! `GET /v1/records?limit=&cursor=`: the customer's records, newest first. Any role.

use am_http::{Cursor, Problem, Request, Response, StatusCode, json, open_and};
use domain::Role;
use runtime::HttpFunction;
use serde::Serialize;
use store::{ListRecords, Store, Wanted};

use crate::shapes::RecordView;

#[derive(Serialize)]
struct Answer {
    records: Vec<RecordView>,
    next_cursor: Option<String>,
}

/// What the function is made of and what it does.
pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    build: |env| env.store(),
    handle: |store, request| Box::pin(handle(store, request)),
};

pub async fn handle(store: &Store, request: &Request) -> Result<Response, Problem> {
    let question = ListRecords { limit: request.page_limit()?, before: request.cursor()? };
    let (_, page) = open_and(store, request, Role::Viewer, Wanted::default(), question).await?;
    let records = page.records.iter().map(|(id, record)| RecordView::new(*id, record)).collect();
    let next_cursor = page.next_before.map(|id| Cursor(id).to_string());
    Ok(json(StatusCode::OK, &Answer { records, next_cursor }))
}
