//! `DELETE /v1/records/{record_id}/appendices/{appendix_id}`: deletes an appendix. Admins and above,
//! with If-Match. A tombstone stays, and so do the bytes of every version.

use am_http::{
    Answer, ChangeRefusal, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response,
    Route, SessionRequest, StatusCode, change, empty,
};
use domain::{AppendixId, RecordId, Role};
use runtime::HttpFunction;
use store::Store;
use store::tenant::{AnswerKey, AppendixKey, RecordKey};

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "delete-appendix",
        routes: &[Route::delete("/v1/records/{record_id}/appendices/{appendix_id}")],
        summary: "Deletes an appendix; the bytes of its versions stay",
        parameters: &[
            Parameter::RECORD_ID,
            Parameter::APPENDIX_ID,
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
    let record_id: RecordId = request.path("record_id")?;
    let id: AppendixId = request.path("appendix_id")?;
    let once = Once::where_named(&request)?;
    let earlier = once.as_ref().map(|once| AnswerKey(once.key()));
    let keys = (RecordKey(record_id), AppendixKey { record: record_id, appendix: id }, earlier);
    let opened = request.open(store, keys).await?;
    let (record, appendix, earlier) = opened.found;
    if let Some(()) = Once::earlier_answer(once.as_ref(), earlier)? {
        return Ok(empty(StatusCode::NO_CONTENT));
    }
    let seen = request.if_match()?;
    record.existing()?;
    let session = &opened.session;
    let tombstone = seen.tombstone(&appendix.newest()?, session.user, request.now())?;
    let remember = once.map(|once| once.remember(&()));
    store.delete_appendix(session, record_id, id, &tombstone, remember.as_ref()).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
