//! `GET /v1/sessions`: where the person is logged in at this company, the newest use first. Any role.

use am_http::{
    Answer, Declaration, Handle, Problem, RequestBody, Response, Route, SessionRequest, StatusCode,
    json,
};
use domain::{Role, Timestamp};
use runtime::HttpFunction;
use serde::Serialize;
use store::Store;
use store::tenant::OwnSession;

/// Where the person is logged in.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct Sessions {
    sessions: Vec<OwnSessionView>,
}

/// One session. It ends 30 days after its log-in, and after seven days without use.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "OwnSession"))]
struct OwnSessionView {
    /// By which it is ended. It opens nothing.
    id: String,
    /// What the browser or app called itself.
    device: String,
    /// Whether it is the one that asks.
    current: bool,
    created_at: Timestamp,
    /// To the hour.
    used_at: Timestamp,
    expires_at: Timestamp,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "list-sessions",
        routes: &[Route::get("/v1/sessions")],
        summary: "Where the person is logged in",
        parameters: &[],
        body: RequestBody::None,
        answers: &[Answer::json::<Sessions>(StatusCode::OK, "All sessions at this company.")],
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
    let opened = request.open(store, ()).await?;
    let own = request.session_token()?.hash().to_string();
    let sessions = store.sessions(&opened.session, request.now()).await?;
    let view = |it: OwnSession| {
        let OwnSession { id, device, created_at, used_at, expires_at } = it;
        let current = id == own;
        OwnSessionView { id, device, current, created_at, used_at, expires_at }
    };
    let sessions = sessions.into_iter().map(view).collect();
    Ok(json(StatusCode::OK, &Sessions { sessions }))
}
