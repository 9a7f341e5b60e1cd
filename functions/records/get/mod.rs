//! `GET /v1/records/{record_id}`: one record as it is now. Any role.

use am_http::{
    Answer, Declaration, Handle, Parameter, Problem, RequestBody, Response, ResponseHeader, Route,
    SessionRequest, StatusCode, empty, etag, json, not_modified, with_header,
};
use domain::{RecordId, Role};
use lambda_http::http::header::ETAG;
use runtime::HttpFunction;
use store::Store;
use store::tenant::RecordKey;

use crate::shapes::RecordView;

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "get-record",
        routes: &[Route::get("/v1/records/{record_id}")],
        summary: "One record as it is now",
        parameters: &[Parameter::RECORD_ID, Parameter::IF_NONE_MATCH],
        body: RequestBody::None,
        answers: &[
            Answer::json::<RecordView>(StatusCode::OK, "The record.").with(&[ResponseHeader::ETAG]),
            Answer::empty(StatusCode::NOT_MODIFIED, "The version of If-None-Match is the newest.")
                .with(&[ResponseHeader::ETAG]),
        ],
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
    let id: RecordId = request.path("record_id")?;
    let record = request.open(store, RecordKey(id)).await?.found.existing()?;
    let response = if not_modified(&request, record.version) {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        json(StatusCode::OK, &RecordView::new(id, &record))
    };
    Ok(with_header(response, ETAG, &etag(record.version)))
}
