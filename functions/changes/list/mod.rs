//! `GET /v1/changes`: what was changed since a cursor was taken, each thing as it is now. Any role; a program sees what its
//! scopes let it.

use am_http::{
    Answer, Code, Cursor, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, json,
};
use domain::{Role, Scope};
use runtime::HttpFunction;
use serde::Serialize;
use store::Store;
use store::tenant::{FeedPlace, LaneEnds, Session, Topic};

use crate::shapes::ChangedView;

/// Changes after a cursor.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct ChangeList {
    /// Each thing once, as it is now, whatever happened to it in between.
    changes: Vec<ChangedView>,
    /// Where to go on: good for 90 days.
    cursor: String,
    /// Whether there are more already.
    more: bool,
}

pub const RESYNC: Code = Code::new(
    StatusCode::GONE,
    "resync",
    "What was changed since this cursor cannot be told: it is older than 90 days, or the service was restored. Take \
     a new one, and list everything again; what was not sent yet can be sent.",
);

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "list-changes",
        routes: &[Route::get("/v1/changes")],
        summary: "What was changed since a cursor was taken",
        parameters: &[Parameter::query::<String>(
            "cursor",
            "That of the answer before. Without any, the answer is a cursor and no changes: take it, list what is \
             wanted, and then go on from it.",
        )],
        body: RequestBody::None,
        answers: &[Answer::json::<ChangeList>(StatusCode::OK, "A page of them.")],
        problems: &[RESYNC, Code::INVALID_FIELD],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Viewer,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    let place: Option<FeedPlace> = request.cursor()?;
    let opened = request.open(store, LaneEnds).await?;
    let (session, ends, now) = (&opened.session, opened.found, request.now());
    let Some(place) = place else {
        let place = store.end_of_feed(session, ends, now).await?;
        return Ok(answer(Vec::new(), &place, false));
    };
    let page = store.changes(session, &ends, place, &topics(session), now).await?;
    let page = page.ok_or_else(|| {
        Problem::new(RESYNC, "What was changed since this cursor cannot be told any more.")
    })?;
    let shows_names = |user| session.role >= Role::Admin || user == session.user;
    let changes = page.changes.into_iter().map(|it| ChangedView::new(it, shows_names)).collect();
    Ok(answer(changes, &page.place, page.more))
}

fn answer(changes: Vec<ChangedView>, place: &FeedPlace, more: bool) -> Response {
    json(StatusCode::OK, &ChangeList { changes, cursor: Cursor(place).to_string(), more })
}

/// What somebody is told of: a person of everything, a program of what it was made for.
fn topics(session: &Session) -> Vec<Topic> {
    let is_told = |topic: &Topic| {
        let of = match topic {
            Topic::Records | Topic::Types => Scope::Records,
            Topic::Appendices => Scope::Appendices,
            Topic::People => Scope::People,
        };
        session.scopes.as_ref().is_none_or(|scopes| scopes.contains(&of))
    };
    Topic::ALL.into_iter().filter(is_told).collect()
}
