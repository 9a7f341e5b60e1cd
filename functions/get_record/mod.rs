//! `GET /v1/records/{record_id}`: one record as it is now. Any role.

use am_http::{
    Problem, Request, Response, StatusCode, empty, etag, json, live, not_modified, open,
    with_header,
};
use domain::{RecordId, Role};
use lambda_http::http::header::ETAG;
use runtime::HttpFunction;
use store::{Store, Wanted};

use crate::shapes::RecordView;

/// What the function is made of and what it does.
pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    build: |env| env.store(),
    handle: |store, request| Box::pin(handle(store, request)),
};

pub async fn handle(store: &Store, request: &Request) -> Result<Response, Problem> {
    let id: RecordId = request.path("record_id")?;
    let wanted = Wanted { record: Some(id), ..Wanted::default() };
    let opened = open(store, request, Role::Viewer, wanted).await?;
    let record = live(opened.record)?;
    let response = if not_modified(request, record.version) {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        json(StatusCode::OK, &RecordView::new(id, &record))
    };
    Ok(with_header(response, ETAG, &etag(record.version)))
}
