//! `DELETE /v1/session`: logs out. Any role. The cookie, if there is one, is taken away too.

use am_http::{
    Answer, Declaration, Handle, Problem, RequestBody, Response, ResponseHeader, Route,
    SessionRequest, StatusCode, empty, end_cookie, with_header,
};
use domain::Role;
use lambda_http::http::HeaderName;
use lambda_http::http::header::SET_COOKIE;
use runtime::HttpFunction;
use store::Store;

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "delete-session",
        routes: &[Route::delete("/v1/session")],
        summary: "Logs out",
        parameters: &[],
        body: RequestBody::None,
        answers: &[Answer::empty(StatusCode::NO_CONTENT, "Logged out.")
            .with(&[ResponseHeader::SET_COOKIE])],
        problems: &[],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Viewer,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    request.open(store, ()).await?;
    store.end_session(&request.session_token()?).await?;
    let answer = empty(StatusCode::NO_CONTENT);
    if request.shows_bearer() {
        return Ok(answer);
    }
    // What the browser has kept of answers goes too; never its storage, where unsent work is.
    let answer = with_header(answer, CLEAR_SITE_DATA, "\"cache\"");
    Ok(with_header(answer, SET_COOKIE, &end_cookie()))
}
