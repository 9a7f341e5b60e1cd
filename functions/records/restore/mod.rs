//! `POST /v1/records/{record_id}/restorations`: makes a record again what it was at an earlier version, by a new one.
//! Members and above, with If-Match. A record that was deleted stays deleted.

use am_http::{
    Answer, ChangeRefusal, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response,
    ResponseHeader, Route, SessionRequest, StatusCode, change,
};
use domain::{Record, RecordId, Role, Version};
use runtime::HttpFunction;
use serde::Deserialize;
use store::Store;
use store::tenant::{AnswerKey, ReadersOf, RecordKey, RevisionKey};

use crate::records::{changed, replace, stale};
use crate::shapes::RecordView;

/// What a record is to be again.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Restoration"))]
#[serde(deny_unknown_fields)]
struct Body {
    /// What it was at this version.
    version: Version,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "restore-record",
        routes: &[Route::post("/v1/records/{record_id}/restorations")],
        summary: "Makes a record again what it was at an earlier version",
        parameters: &[
            Parameter::RECORD_ID,
            Parameter::IF_MATCH,
            Parameter::IDEMPOTENCY_KEY_OF_A_CHANGE,
        ],
        body: RequestBody::json::<Body>(),
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
    change(|| restore(store, request)).await
}

async fn restore(store: &Store, request: SessionRequest<'_>) -> Result<Response, ChangeRefusal> {
    let id: RecordId = request.path("record_id")?;
    let once = Once::where_named(&request)?;
    let earlier = once.as_ref().map(|once| AnswerKey(once.key()));
    // What is wrong with the body is said to whoever has a session.
    let body = request.json::<Body>();
    let past = body.as_ref().ok().map(|body| RevisionKey(id, body.version));
    let opened = request.open(store, (RecordKey(id), earlier, past, ReadersOf(id))).await?;
    let (found, earlier, past, readers) = opened.found;
    if let Some(view) = Once::earlier_answer(once.as_ref(), earlier)? {
        return Ok(changed(&view));
    }
    let seen = request.if_match()?;
    body?;
    let (session, current) = (&opened.session, found.existing()?);
    if !seen.admits(current.version) {
        return Err(stale(id, &current).into());
    }
    let past = past.and_then(|it| it.existing().ok());
    let past = past.ok_or_else(|| Problem::invalid("/version", "is no version of this record"))?;
    // Its number stays: it may have been given one since. Nor was it closed before it is now.
    let (number, now) = (current.content.number.clone(), request.now());
    let closed_at = Record::closed_at(past.content.open, Some(&current.content), now);
    let record = Record { number, closed_at, ..past.content };
    let next = current.changed(record, session.user, now);
    replace(store, session, id, &current, &next, once.as_ref(), &readers).await
}
