//! `POST /v1/inbox/read`: notes what whoever asks has read. Any role.

use am_http::{
    Answer, Declaration, Handle, Problem, RequestBody, Response, Route, SessionRequest, StatusCode,
    empty,
};
use domain::Role;
use runtime::HttpFunction;
use serde::Deserialize;
use store::{NoticePlace, PAGE_ITEMS_MAX, Store};

/// What was read.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "NoticesRead"))]
#[serde(deny_unknown_fields)]
struct Body {
    /// The ids of notices, from 1 to 100. What is kept no longer counts as read.
    notices: Vec<String>,
}

impl Body {
    fn places(&self) -> Result<Vec<NoticePlace>, Problem> {
        if self.notices.is_empty() || self.notices.len() > usize::from(PAGE_ITEMS_MAX) {
            let rule = format!("must have from 1 to {PAGE_ITEMS_MAX} ids");
            return Err(Problem::invalid("/notices", rule));
        }
        let place = |(at, id): (usize, &String)| {
            let no_id = || Problem::invalid(format!("/notices/{at}"), "must be the id of a notice");
            id.parse().map_err(|_| no_id())
        };
        self.notices.iter().enumerate().map(place).collect()
    }
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "mark-inbox",
        routes: &[Route::post("/v1/inbox/read")],
        summary: "Notes what whoever asks has read",
        parameters: &[],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::empty(StatusCode::NO_CONTENT, "Noted.")],
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
    let places = request.json::<Body>().and_then(|body| body.places());
    let opened = request.open(store, ()).await?;
    store.mark_read(&opened.session, &places?).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
