//! `PUT /v1/records/{record_id}`: replaces a record's content. Members and above. If-Match names
//! the version that the client saw, so that nobody's change is overwritten unseen.

use am_http::{
    Answer, ChangeRefusal, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response,
    ResponseHeader, Route, SessionRequest, StatusCode, change,
};
use domain::{RecordId, Role};
use runtime::HttpFunction;
use store::Store;
use store::tenant::{AnswerKey, ReadersOf, RecordKey};

use crate::records::draft::Wanted;
use crate::records::{changed, replace, stale};
use crate::shapes::RecordView;

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "update-record",
        routes: &[Route::put("/v1/records/{record_id}")],
        summary: "Replaces a record's content",
        parameters: &[
            Parameter::RECORD_ID,
            Parameter::IF_MATCH,
            Parameter::IDEMPOTENCY_KEY_OF_A_CHANGE,
        ],
        body: RequestBody::json::<Wanted>(),
        answers: &[Answer::json::<RecordView>(StatusCode::OK, "The record as it is now.")
            .with(&[ResponseHeader::ETAG])],
        problems: &[],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Member,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    change(|| update(store, request)).await
}

async fn update(store: &Store, request: SessionRequest<'_>) -> Result<Response, ChangeRefusal> {
    let id: RecordId = request.path("record_id")?;
    let once = Once::where_named(&request)?;
    let earlier = once.as_ref().map(|once| AnswerKey(once.key()));
    // What is wrong with the body is said to whoever has a session.
    let body = request.json::<Wanted>();
    let beside = body.as_ref().ok().map(Wanted::beside);
    let opened = request.open(store, (RecordKey(id), earlier, beside, ReadersOf(id))).await?;
    let (found, earlier, beside, readers) = opened.found;
    if let Some(view) = Once::earlier_answer(once.as_ref(), earlier)? {
        return Ok(changed(&view));
    }
    let (seen, wanted) = (request.if_match()?, body?);
    let (session, current) = (&opened.session, found.existing()?);
    if !seen.admits(current.version) {
        return Err(stale(id, &current).into());
    }
    let before = Some(&current.content);
    let (beside, now) = (beside.unwrap_or_default(), request.now());
    let (record, _) = wanted.record(store, session, id, before, beside, now).await?;
    let next = current.changed(record, session.user, now);
    replace(store, session, id, &current, &next, once.as_ref(), &readers).await
}
