//! `PUT /v1/records/{record_id}/comments/{comment_id}`: says it in other words. Who has written it, with If-Match; what it
//! said before stays in its history.

use am_http::{
    Answer, ChangeRefusal, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response,
    ResponseHeader, Route, SessionRequest, StatusCode, change,
};
use domain::{CommentId, RecordId, Role};
use runtime::HttpFunction;
use store::Store;
use store::tenant::{AnswerKey, CommentChange, CommentKey, ReadersOf, RecordKey, Users};

use crate::comments::{NOT_YOURS, Words, changed, is_theirs};
use crate::shapes::CommentView;

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "edit-comment",
        routes: &[Route::put("/v1/records/{record_id}/comments/{comment_id}")],
        summary: "Says something about a record in other words",
        parameters: &[
            Parameter::RECORD_ID,
            Parameter::COMMENT_ID,
            Parameter::IF_MATCH,
            Parameter::IDEMPOTENCY_KEY_OF_A_CHANGE,
        ],
        body: RequestBody::json::<Words>(),
        answers: &[Answer::json::<CommentView>(StatusCode::OK, "The comment as it is now.")
            .with(&[ResponseHeader::ETAG])],
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
    change(|| edit(store, request)).await
}

async fn edit(store: &Store, request: SessionRequest<'_>) -> Result<Response, ChangeRefusal> {
    let record: RecordId = request.path("record_id")?;
    let id: CommentId = request.path("comment_id")?;
    let once = Once::where_named(&request)?;
    let earlier = once.as_ref().map(|once| AnswerKey(once.key()));
    // What is wrong with the body is said to whoever has a session.
    let body = request.json::<Words>();
    let mentioned = body.as_ref().map_or(Vec::new(), |body| body.mentions.clone());
    let keys = (RecordKey(record), CommentKey(record, id));
    let wanted = (keys, earlier, Users::at_most(mentioned), ReadersOf(record));
    let opened = request.open(store, wanted).await?;
    let ((of, found), earlier, people, readers) = opened.found;
    if let Some(view) = Once::earlier_answer(once.as_ref(), earlier)? {
        return Ok(changed(&view));
    }
    let (seen, words, session) = (request.if_match()?, body?, &opened.session);
    let (of, current) = (of.existing()?, found.existing()?);
    is_theirs(session, current.created_by)?;
    if !seen.admits(current.version) {
        return Err(Problem::stale(current.version).into());
    }
    let comment = words.comment(&people, &current.content.mentions)?;
    let next = current.changed(comment, session.user, request.now());
    let view = CommentView::new(record, id, &next);
    let remember = once.map(|once| once.remember(&view));
    let change = CommentChange { record, of: &of, id, seen: Some(&current), next: &next };
    store.write_comment(session, change, remember.as_ref(), &readers).await?;
    Ok(changed(&view))
}
