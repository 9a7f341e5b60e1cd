//! `DELETE /v1/records/{record_id}`: deletes a record. Admins and above, with If-Match. A tombstone
//! stays, and so does the history.

use am_http::{
    Answer, ChangeRefusal, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response,
    Route, SessionRequest, StatusCode, change, empty,
};
use domain::{RecordId, Role};
use runtime::HttpFunction;
use store::Store;
use store::tenant::{AnswerKey, ReadersOf, RecordKey};

use crate::records::stale;

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "delete-record",
        routes: &[Route::delete("/v1/records/{record_id}")],
        summary: "Deletes a record; its history stays",
        parameters: &[
            Parameter::RECORD_ID,
            Parameter::IF_MATCH,
            Parameter::IDEMPOTENCY_KEY_OF_A_CHANGE,
        ],
        body: RequestBody::None,
        answers: &[Answer::empty(StatusCode::NO_CONTENT, "Deleted.")],
        problems: &[],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Admin,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    change(|| delete(store, request)).await
}

async fn delete(store: &Store, request: SessionRequest<'_>) -> Result<Response, ChangeRefusal> {
    let id: RecordId = request.path("record_id")?;
    let once = Once::where_named(&request)?;
    let earlier = once.as_ref().map(|once| AnswerKey(once.key()));
    let opened = request.open(store, (RecordKey(id), earlier, ReadersOf(id))).await?;
    let (found, earlier, readers) = opened.found;
    if let Some(()) = Once::earlier_answer(once.as_ref(), earlier)? {
        return Ok(empty(StatusCode::NO_CONTENT));
    }
    let seen = request.if_match()?;
    let session = &opened.session;
    let newest = found.newest()?;
    if !newest.deleted && !seen.admits(newest.version) {
        return Err(stale(id, &newest).into());
    }
    let tombstone = seen.tombstone(&newest, session.user, request.now())?;
    let remember = once.map(|once| once.remember(&()));
    store.replace_record(session, id, &newest, &tombstone, remember.as_ref(), &readers).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
