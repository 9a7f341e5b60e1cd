//! `PUT /v1/records/{record_id}`: replaces a record's content. Members and above. If-Match names
//! the version that the client saw, so that nobody's change is overwritten unseen.

use am_http::{
    Answer, ChangeRefusal, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response,
    ResponseHeader, Route, SessionRequest, StatusCode, change, etag, json, with_header,
};
use domain::{Fields, Record, RecordId, RecordTitle, RecordType, Role};
use lambda_http::http::header::ETAG;
use runtime::HttpFunction;
use serde::Deserialize;
use store::Store;
use store::tenant::{AnswerKey, RecordKey};

use crate::shapes::RecordView;

/// All that a record is to be from now on.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "RecordUpdate"))]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(rename = "type")]
    record_type: RecordType,
    title: RecordTitle,
    /// Left out, there are none.
    #[serde(default)]
    fields: Fields,
}

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
    change(|| update(store, request)).await
}

async fn update(store: &Store, request: SessionRequest<'_>) -> Result<Response, ChangeRefusal> {
    let id: RecordId = request.path("record_id")?;
    let once = Once::where_named(&request)?;
    let earlier = once.as_ref().map(|once| AnswerKey(once.key()));
    let opened = request.open(store, (RecordKey(id), earlier)).await?;
    let (found, earlier) = opened.found;
    if let Some(view) = Once::earlier_answer(once.as_ref(), earlier)? {
        return Ok(answer(&view));
    }
    let seen = request.if_match()?;
    let Body { record_type, title, fields } = request.json()?;
    let content = Record { record_type, title, fields };
    let current = found.existing()?;
    if !seen.admits(current.version) {
        return Err(Problem::stale(current.version).into());
    }
    let changed = current.changed(content, opened.session.user, request.now());
    let view = RecordView::new(id, &changed);
    let remember = once.map(|once| once.remember(&view));
    store.replace_record(&opened.session, id, &current, &changed, remember.as_ref()).await?;
    Ok(answer(&view))
}

fn answer(view: &RecordView) -> Response {
    with_header(json(StatusCode::OK, view), ETAG, &etag(view.version))
}
