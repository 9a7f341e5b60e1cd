//! `POST /v1/records`: creates a record. Members and above. The client may choose its id.

use am_http::{
    Answer, Code, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response,
    ResponseHeader, Route, SessionRequest, StatusCode, created, etag,
};
use domain::{
    ChosenId, Date, Entropy, Fields, Given, Name, RecordId, RecordNumber, RecordTitle, RecordType,
    Revision, Role, Timestamp, UserId, Version,
};
use runtime::{HttpFunction, OsEntropy};
use serde::Deserialize;
use store::tenant::{AnswerKey, ReadersOf, UsageKey};
use store::{Store, Usage, WriteError};

use crate::quota;
use crate::records::draft::Wanted;
use crate::shapes::RecordView;

/// A new record.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "NewRecord"))]
#[serde(deny_unknown_fields)]
struct Body {
    /// Chosen here, it lets a phone create records while it is offline: of when it was made, at most a day
    /// ahead of our clock.
    id: Option<ChosenId<RecordId>>,
    #[serde(rename = "type")]
    record_type: RecordType,
    title: RecordTitle,
    #[serde(default)]
    fields: Fields,
    /// The version of the type's form that it is written under. Left out, it is the newest, if the type is defined.
    type_version: Option<Version>,
    /// Any of the type's states. Left out, it is the first.
    state: Option<Name>,
    /// People of the company, by their ids: 20 at most.
    assignees: Option<Vec<UserId>>,
    /// By when it is to be done.
    due: Option<Date>,
    /// The record that it is about, such as a machine.
    about: Option<RecordId>,
}

impl Body {
    fn split(self, now: Timestamp, entropy: &dyn Entropy) -> Result<(RecordId, Wanted), Problem> {
        let Self { id, record_type, title, fields, type_version, .. } = self;
        let (state, assignees) = (given(self.state), given(self.assignees));
        let (due, about) = (given(self.due), given(self.about));
        let id = match id {
            Some(id) => id.accept(now).map_err(|rule| Problem::invalid("/id", rule.to_string()))?,
            None => RecordId::new(now, entropy),
        };
        Ok((id, Wanted { record_type, title, fields, type_version, state, assignees, due, about }))
    }
}

fn given<T>(it: Option<T>) -> Given<T> {
    it.map_or(Given::Absent, Given::Value)
}

const RECORD_EXISTS: Code = Code::new(
    StatusCode::CONFLICT,
    "record_exists",
    "A record with this id exists already, or did.",
);

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "create-record",
        routes: &[Route::post("/v1/records")],
        summary: "Creates a record",
        parameters: &[Parameter::IDEMPOTENCY_KEY],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<RecordView>(StatusCode::CREATED, "The new record.")
            .with(&[ResponseHeader::LOCATION, ResponseHeader::ETAG])],
        problems: &[RECORD_EXISTS, Code::QUOTA_EXCEEDED],
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
    let (once, now) = (Once::of(&request)?, request.now());
    // What is wrong with the body is said to whoever has a session.
    let body = request.json::<Body>().and_then(|body| body.split(now, entropy));
    let about = body.as_ref().ok().map(|(id, wanted)| (wanted.beside(), ReadersOf(*id)));
    let opened = request.open(store, (AnswerKey(once.key()), UsageKey, about)).await?;
    let (earlier, standing, about) = opened.found;
    if let Some(earlier) = &earlier {
        return Ok(answer(&once.answer(earlier)?));
    }
    let (id, wanted) = body?;
    let (beside, readers) = about.unwrap_or_default();

    let more = Usage { records: 1, ..Usage::default() };
    quota::admit(store, &opened.session, &standing, more).await?;
    let (mut record, form) = wanted.record(store, &opened.session, id, None, beside, now).await?;
    if let Some(prefix) = form.as_ref().and_then(|it| it.content.form().number_prefix.as_ref()) {
        let number = store.next_number(&opened.session, &record.record_type).await?;
        record.number = Some(RecordNumber::new(prefix, number));
    }
    let revision = Revision::first(record, opened.session.user, now);
    let view = RecordView::new(id, &revision);
    let remember = once.remember(&view);
    match store.create_record(&opened.session, id, &revision, &remember, &readers).await {
        Ok(()) => Ok(answer(&view)),
        Err(WriteError::Repeated(earlier)) => Ok(answer(&once.answer(&earlier)?)),
        Err(WriteError::Exists) => {
            Err(Problem::new(RECORD_EXISTS, "A record with this id exists already."))
        }
        Err(error) => Err(error.into()),
    }
}

fn answer(view: &RecordView) -> Response {
    created(&format!("/v1/records/{}", view.id), &etag(view.version), view)
}
