//! `POST /v1/records/{record_id}/comments`: says something about a record. Members and above. The client may choose the
//! comment's id.

use am_http::{
    Answer, Code, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response,
    ResponseHeader, Route, SessionRequest, StatusCode, created, etag,
};
use domain::{ChosenId, CommentId, CommentText, Entropy, RecordId, Revision, Role, UserId};
use runtime::{HttpFunction, OsEntropy};
use serde::Deserialize;
use store::tenant::{AnswerKey, CommentChange, ReadersOf, RecordKey, Users};
use store::{Store, WriteError};

use crate::comments::Words;
use crate::shapes::CommentView;

/// A new comment.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "NewComment"))]
#[serde(deny_unknown_fields)]
struct Body {
    /// Chosen here, it lets a phone say something while it is offline: of when it was said, at most a day ahead of our
    /// clock.
    id: Option<ChosenId<CommentId>>,
    text: CommentText,
    /// Whom it is for in particular: people of the company, by their ids, 20 at most.
    #[serde(default)]
    mentions: Vec<UserId>,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "add-comment",
        routes: &[Route::post("/v1/records/{record_id}/comments")],
        summary: "Says something about a record",
        parameters: &[Parameter::RECORD_ID, Parameter::IDEMPOTENCY_KEY],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<CommentView>(StatusCode::CREATED, "The new comment.")
            .with(&[ResponseHeader::LOCATION, ResponseHeader::ETAG])],
        problems: &[Code::EXISTS],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Member,
        |store| store,
        |store, request| Box::pin(handle(store, &OsEntropy, request)),
    ),
};

async fn handle(
    store: &Store,
    entropy: &dyn Entropy,
    request: SessionRequest<'_>,
) -> Result<Response, Problem> {
    let record: RecordId = request.path("record_id")?;
    let (once, now) = (Once::of(&request)?, request.now());
    // What is wrong with the body is said to whoever has a session.
    let body = request.json::<Body>();
    let mentioned = body.as_ref().map_or(Vec::new(), |body| body.mentions.clone());
    let wanted =
        (RecordKey(record), AnswerKey(once.key()), Users::at_most(mentioned), ReadersOf(record));
    let opened = request.open(store, wanted).await?;
    let (found, earlier, people, readers) = opened.found;
    if let Some(earlier) = &earlier {
        return Ok(answer(&once.answer(earlier)?));
    }
    let Body { id, text, mentions } = body?;
    let of = found.existing()?;
    let id = match id {
        Some(id) => id.accept(now).map_err(|rule| Problem::invalid("/id", rule.to_string()))?,
        None => CommentId::new(now, entropy),
    };
    let comment = Words { text, mentions }.comment(&people, &[])?;
    let revision = Revision::first(comment, opened.session.user, now);
    let view = CommentView::new(record, id, &revision);
    let (session, remember) = (&opened.session, once.remember(&view));
    let change = CommentChange { record, of: &of, id, seen: None, next: &revision };
    match store.write_comment(session, change, Some(&remember), &readers).await {
        Ok(()) => Ok(answer(&view)),
        Err(WriteError::Repeated(earlier)) => Ok(answer(&once.answer(&earlier)?)),
        // The record is gone.
        Err(WriteError::Stale { current: None }) => Err(Problem::not_found()),
        Err(error) => Err(error.into()),
    }
}

fn answer(view: &CommentView) -> Response {
    let location = format!("/v1/records/{}/comments/{}", view.record_id, view.id);
    created(&location, &etag(view.version), view)
}
