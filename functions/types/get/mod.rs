//! `GET /v1/types/{type}?version=`: a type of records as it is now, or as it was at a version. Any role.

use am_http::{
    Answer, Declaration, Handle, Parameter, Problem, RequestBody, Response, ResponseHeader, Route,
    SessionRequest, StatusCode, etag, json, with_header,
};
use domain::{RecordType, Role, Version};
use lambda_http::http::header::ETAG;
use runtime::HttpFunction;
use store::Store;

use crate::shapes::TypeView;
use crate::types::{VERSION, read};

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "get-type",
        routes: &[Route::get("/v1/types/{type}")],
        summary: "A type of records as it is now, or as it was at a version",
        parameters: &[Parameter::RECORD_TYPE, VERSION],
        body: RequestBody::None,
        answers: &[
            Answer::json::<TypeView>(StatusCode::OK, "The type.").with(&[ResponseHeader::ETAG])
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
    let (name, found): (RecordType, _) = read(store, &request).await?;
    let version: Version = found.version;
    let view = TypeView::new(name, &found);
    Ok(with_header(json(StatusCode::OK, &view), ETAG, &etag(version)))
}
