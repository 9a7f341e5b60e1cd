//! `GET /v1/records/{record_id}/comments`: what was said about a record, the newest first. Any role.

use am_http::{
    Answer, Cursor, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, json,
};
use domain::{RecordId, Role};
use runtime::HttpFunction;
use serde::Serialize;
use store::Store;
use store::tenant::{ListComments, RecordKey};

use crate::shapes::CommentView;

/// Some of what was said.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct CommentList {
    comments: Vec<CommentView>,
    /// Where the next page starts; null at the end.
    next_cursor: Option<String>,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "list-comments",
        routes: &[Route::get("/v1/records/{record_id}/comments")],
        summary: "What was said about a record",
        parameters: &[Parameter::RECORD_ID, Parameter::LIMIT, Parameter::CURSOR],
        body: RequestBody::None,
        answers: &[Answer::json::<CommentList>(StatusCode::OK, "A page of it.")],
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
    let (limit, before) = (request.page_limit()?, request.cursor()?);
    let question = ListComments { record, limit, before };
    let (opened, page) = request.open_and(store, RecordKey(record), question).await?;
    opened.found.existing()?;
    let comments = page.comments.iter();
    let comments = comments.map(|(id, comment)| CommentView::new(record, *id, comment)).collect();
    let next_cursor = page.next_before.map(|id| Cursor(id).to_string());
    Ok(json(StatusCode::OK, &CommentList { comments, next_cursor }))
}
