//! `GET /v1/inbox`: what whoever asks was told, the newest first: what they are to work on, where they were mentioned, and
//! what others did to records that they made or work on. Any role. It is kept for 90 days.

use am_http::{
    Answer, Cursor, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, json,
};
use domain::{
    CommentId, Name, Record, RecordId, RecordNumber, RecordTitle, RecordType, Revision, Role,
    Timestamp, UserId,
};
use runtime::HttpFunction;
use serde::Serialize;
use store::tenant::{ReadInbox, WantsMail};
use store::{Change, Notice, Reason, Store};

/// Something that somebody is told.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Notice"))]
struct NoticeView {
    /// With which it is marked as read.
    id: String,
    reason: Reason,
    at: Timestamp,
    /// Who has done it.
    by: UserId,
    /// What was said, where it is about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    comment_id: Option<CommentId>,
    record_id: RecordId,
    /// Null: it was deleted since.
    record: Option<RecordHead>,
    read: bool,
}

/// What a record is called, and how it stands.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct RecordHead {
    #[serde(rename = "type")]
    record_type: RecordType,
    title: RecordTitle,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<String>"))]
    number: Option<RecordNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<bool>,
}

impl NoticeView {
    fn new((notice, record): (Notice, Option<Revision<Record>>)) -> Self {
        let head = |Record { record_type, title, number, state, open, .. }| RecordHead {
            record_type,
            title,
            number,
            state,
            open,
        };
        Self {
            id: notice.place.to_string(),
            reason: notice.place.reason,
            at: notice.place.at,
            by: notice.by,
            comment_id: match notice.place.change {
                Change::Comment(comment) => Some(comment),
                Change::Version(_) => None,
            },
            record_id: notice.place.record,
            record: record.map(|it| head(it.content)),
            read: notice.read,
        }
    }
}

/// Some of what somebody was told.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct Inbox {
    notices: Vec<NoticeView>,
    /// How many of the newest two hundred were not read.
    unread: usize,
    /// Whether a mail comes each day of what was not read.
    daily_mail: bool,
    /// Where the next page starts; null at the end.
    next_cursor: Option<String>,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "list-inbox",
        routes: &[Route::get("/v1/inbox")],
        summary: "What concerns whoever asks, the newest first",
        parameters: &[Parameter::LIMIT, Parameter::CURSOR],
        body: RequestBody::None,
        answers: &[Answer::json::<Inbox>(StatusCode::OK, "A page of it.")],
        problems: &[],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Viewer,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    let question = ReadInbox { limit: request.page_limit()?, before: request.cursor()? };
    let (opened, page) = request.open_and(store, WantsMail, question).await?;
    let notices = page.notices.into_iter().map(NoticeView::new).collect();
    let next_cursor = page.next_before.map(|place| Cursor(place).to_string());
    let (unread, daily_mail) = (page.unread, opened.found);
    Ok(json(StatusCode::OK, &Inbox { notices, unread, daily_mail, next_cursor }))
}
