//! `DELETE /v1/records/{record_id}`: deletes a record. Admins and above, with If-Match. A tombstone
//! stays, and so does the history.

use am_http::{
    Answer, ChangeRefusal, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, change, empty,
};
use domain::{RecordId, Role};
use runtime::HttpFunction;
use store::Store;
use store::tenant::RecordKey;

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "delete-record",
        routes: &[Route::delete("/v1/records/{record_id}")],
        summary: "Deletes a record; its history stays",
        parameters: &[Parameter::RECORD_ID, Parameter::IF_MATCH],
        body: RequestBody::None,
        answers: &[Answer::empty(StatusCode::NO_CONTENT, "Deleted.")],
        problems: &[],
    },
    build: |env| env.store(),
    handle: Handle::Session(Role::Admin, |store, request| Box::pin(handle(store, request))),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    change(|| delete(store, request)).await
}

async fn delete(store: &Store, request: SessionRequest<'_>) -> Result<Response, ChangeRefusal> {
    let id: RecordId = request.path("record_id")?;
    let opened = request.open(store, RecordKey(id)).await?;
    let seen = request.if_match()?;
    let current = opened.found.newest()?;

    let session = &opened.session;
    if let Some(tombstone) = seen.tombstone(&current, session.user, request.now())? {
        store.replace_record(&session.customer, id, &tombstone).await?;
    }
    Ok(empty(StatusCode::NO_CONTENT))
}
