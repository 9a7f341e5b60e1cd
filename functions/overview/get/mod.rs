//! `GET /v1/overview`: how many records there are of those that people look for first, and how to list them. Any role.

use am_http::{
    Answer, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route, SessionRequest,
    StatusCode, json,
};
use domain::{Date, Role, TimeZone, Timestamp};
use runtime::HttpFunction;
use serde::Serialize;
use store::Store;
use store::tenant::{Count, CustomerKey};

/// What there is to do.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Overview"))]
struct View {
    /// The day that it is in the time zone.
    today: Date,
    /// When the week began there: on Monday.
    week_began_at: Timestamp,
    figures: Vec<Figure>,
}

/// How many records there are of some kind.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct Figure {
    name: FigureName,
    /// A thousand at most.
    count: usize,
    /// Whether there are more than were counted, or may be, in a week with thousands of changes.
    more: bool,
    /// The query with which `GET /v1/records` lists them: `state=open`.
    filter: String,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "snake_case")]
enum FigureName {
    /// In an open state.
    Open,
    /// Of these, assigned to whoever asks.
    Mine,
    /// Due before today, and not closed.
    Overdue,
    /// Made this week.
    New,
    /// Closed this week, and still so.
    Closed,
    /// Open, and assigned to nobody.
    Unassigned,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "get-overview",
        routes: &[Route::get("/v1/overview")],
        summary: "What there is to do, in six figures",
        parameters: &[Parameter::query::<TimeZone>(
            "time_zone",
            "In which it is today: an IANA name, such as Europe/Stockholm. Without any, the company's, or UTC.",
        )],
        body: RequestBody::None,
        answers: &[Answer::json::<View>(StatusCode::OK, "The figures.")],
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
    let zone: Option<TimeZone> = request.query("time_zone")?;
    let opened = request.open(store, CustomerKey).await?;
    let company = opened.found.newest().map_err(|_| Problem::no_session())?;
    let zone = zone.or(company.content.time_zone).unwrap_or_default();
    let (today, week) = (zone.day(request.now()), zone.week(request.now()));
    let found = store.overview(&opened.session, &today, week).await?;
    let figure = |name, Count { count, more }, filter| Figure { name, count, more, filter };
    let figures = vec![
        figure(FigureName::Open, found.open, "state=open".to_owned()),
        figure(
            FigureName::Mine,
            found.mine,
            format!("assignee={}&state=open", opened.session.user),
        ),
        figure(FigureName::Overdue, found.overdue, format!("due_before={today}")),
        figure(FigureName::New, found.new, format!("created_since={week}")),
        figure(FigureName::Closed, found.closed, format!("closed_since={week}")),
        figure(FigureName::Unassigned, found.unassigned, "assignee=nobody&state=open".to_owned()),
    ];
    Ok(json(StatusCode::OK, &View { today, week_began_at: week, figures }))
}
