//! `GET /v1/events?limit=&cursor=`: what happened to the security of the company, the newest first: log-ins and failed
//! ones, passwords, people, settings. Admins and above. Log-ins are kept for 90 days, changes for 400; what has to last of
//! them is in the history of what was changed.

use am_http::{
    Answer, Cursor, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, json,
};
use domain::{Role, Timestamp, UserId};
use runtime::HttpFunction;
use serde::Serialize;
use store::tenant::ListEvents;
use store::{Event, EventKind, Store};

/// One thing that happened.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Event"))]
struct EventView {
    at: Timestamp,
    kind: EventKind,
    /// Who did it; null: whoever runs the service, or somebody who was not logged in.
    by: Option<UserId>,
    /// Whom it is about, where that is somebody else.
    whom: Option<UserId>,
    /// The network that it came from.
    source: Option<String>,
    /// What the client called itself.
    device: Option<String>,
}

impl EventView {
    fn new((at, event): (Timestamp, Event)) -> Self {
        let Event { kind, by, whom, source, device } = event;
        Self { at, kind, by, whom, source, device }
    }
}

/// Some of the events.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct EventList {
    events: Vec<EventView>,
    /// Where the next page starts; null at the end.
    next_cursor: Option<String>,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "list-events",
        routes: &[Route::get("/v1/events")],
        summary: "What happened to the security of the company, the newest first",
        parameters: &[Parameter::LIMIT, Parameter::CURSOR],
        body: RequestBody::None,
        answers: &[Answer::json::<EventList>(StatusCode::OK, "A page of them.")],
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
    let question = ListEvents { limit: request.page_limit()?, before: request.cursor()? };
    let (_, page) = request.open_and(store, (), question).await?;
    let events = page.events.into_iter().map(EventView::new).collect();
    let next_cursor = page.next_before.map(|place| Cursor(place).to_string());
    Ok(json(StatusCode::OK, &EventList { events, next_cursor }))
}
