//! `DELETE /v1/session`: logs out. Any role. The cookie, if there is one, is taken away too.

use am_http::{Problem, Request, Response, StatusCode, empty, end_cookie, open, with_header};
use domain::Role;
use lambda_http::http::header::SET_COOKIE;
use runtime::HttpFunction;
use store::{Store, Wanted};

/// What the function is made of and what it does.
pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    build: |env| env.store(),
    handle: |store, request| Box::pin(handle(store, request)),
};

pub async fn handle(store: &Store, request: &Request) -> Result<Response, Problem> {
    open(store, request, Role::Viewer, Wanted::default()).await?;
    store.end_session(&request.session_token()?).await?;
    Ok(with_header(empty(StatusCode::NO_CONTENT), SET_COOKIE, &end_cookie()))
}
