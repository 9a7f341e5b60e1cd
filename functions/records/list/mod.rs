//! `GET /v1/records?limit=&cursor=`: the customer's records, newest first. Any role.

use am_http::{
    Answer, Cursor, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, json,
};
use domain::Role;
use runtime::HttpFunction;
use serde::Serialize;
use store::Store;
use store::tenant::ListRecords;

use crate::shapes::RecordView;

/// Some of the records.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct RecordList {
    records: Vec<RecordView>,
    /// Where the next page starts; null at the end.
    next_cursor: Option<String>,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "list-records",
        routes: &[Route::get("/v1/records")],
        summary: "The records, newest first",
        parameters: &[Parameter::LIMIT, Parameter::CURSOR],
        body: RequestBody::None,
        answers: &[Answer::json::<RecordList>(StatusCode::OK, "A page of them.")],
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
    let question = ListRecords { limit: request.page_limit()?, before: request.cursor()? };
    let (_, page) = request.open_and(store, (), question).await?;
    let records = page.records.iter().map(|(id, record)| RecordView::new(*id, record)).collect();
    let next_cursor = page.next_before.map(|id| Cursor(id).to_string());
    Ok(json(StatusCode::OK, &RecordList { records, next_cursor }))
}
