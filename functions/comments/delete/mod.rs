//! `DELETE /v1/records/{record_id}/comments/{comment_id}`: takes back what was said. Who has written it, and admins, with
//! If-Match.

use am_http::{
    Answer, ChangeRefusal, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response,
    Route, SessionRequest, StatusCode, change, empty,
};
use domain::{CommentId, RecordId, Role};
use runtime::HttpFunction;
use store::Store;
use store::tenant::{AnswerKey, CommentChange, CommentKey, ReadersOf, RecordKey};

use crate::comments::{NOT_YOURS, may_delete};

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "delete-comment",
        routes: &[Route::delete("/v1/records/{record_id}/comments/{comment_id}")],
        summary: "Takes back what was said about a record",
        parameters: &[
            Parameter::RECORD_ID,
            Parameter::COMMENT_ID,
            Parameter::IF_MATCH,
            Parameter::IDEMPOTENCY_KEY_OF_A_CHANGE,
        ],
        body: RequestBody::None,
        answers: &[Answer::empty(StatusCode::NO_CONTENT, "Deleted.")],
        problems: &[NOT_YOURS],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Member,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    change(|| delete(store, request)).await
}

async fn delete(store: &Store, request: SessionRequest<'_>) -> Result<Response, ChangeRefusal> {
    let record: RecordId = request.path("record_id")?;
    let id: CommentId = request.path("comment_id")?;
    let once = Once::where_named(&request)?;
    let earlier = once.as_ref().map(|once| AnswerKey(once.key()));
    let wanted = (RecordKey(record), CommentKey(record, id), earlier, ReadersOf(record));
    let opened = request.open(store, wanted).await?;
    let (of, found, earlier, readers) = opened.found;
    if let Some(()) = Once::earlier_answer(once.as_ref(), earlier)? {
        return Ok(empty(StatusCode::NO_CONTENT));
    }
    let (seen, session) = (request.if_match()?, &opened.session);
    let (of, current) = (of.existing()?, found.newest()?);
    may_delete(session, current.created_by)?;
    let tombstone = seen.tombstone(&current, session.user, request.now())?;
    let remember = once.map(|once| once.remember(&()));
    let change = CommentChange { record, of: &of, id, seen: Some(&current), next: &tombstone };
    store.write_comment(session, change, remember.as_ref(), &readers).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
