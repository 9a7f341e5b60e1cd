//! `GET /v1/customer`: the company that the person works at. Any role.

use am_http::{
    Answer, Declaration, Handle, Problem, RequestBody, Response, ResponseHeader, Route,
    SessionRequest, StatusCode, etag, json, with_header,
};
use domain::Role;
use lambda_http::http::header::ETAG;
use runtime::HttpFunction;
use store::Store;
use store::tenant::CustomerKey;

use crate::shapes::CompanyView;

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "get-customer",
        routes: &[Route::get("/v1/customer")],
        summary: "The company",
        parameters: &[],
        body: RequestBody::None,
        answers: &[Answer::json::<CompanyView>(StatusCode::OK, "The company as it is now.")
            .with(&[ResponseHeader::ETAG])],
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
    let opened = request.open(store, CustomerKey).await?;
    let profile = opened.found.newest().map_err(|_| Problem::no_session())?;
    let view = CompanyView::new(opened.session.customer.id(), &profile);
    Ok(with_header(json(StatusCode::OK, &view), ETAG, &etag(view.version)))
}
