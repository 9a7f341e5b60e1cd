//! `DELETE /v1/sessions?id=`: logs the person out elsewhere at this company: of one session, or of all but the one that
//! asks. Any role.

use am_http::{
    Answer, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route, SessionRequest,
    StatusCode, empty,
};
use domain::{Role, TokenHash};
use runtime::HttpFunction;
use store::{Event, EventKind, Store};

use super::device;

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "end-sessions",
        routes: &[Route::delete("/v1/sessions")],
        summary: "Logs the person out elsewhere",
        parameters: &[Parameter::query::<TokenHash>(
            "id",
            "The session to end. Left out: all but the one that asks.",
        )],
        body: RequestBody::None,
        answers: &[Answer::empty(StatusCode::NO_CONTENT, "Ended, now or before.")],
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
    let session = &opened.session;
    if let Some(id) = request.query::<TokenHash>("id")? {
        store.end_session_by_id(session, &id).await?;
    } else {
        let own = request.session_token()?.hash();
        store.end_sessions_at(&session.customer, session.user, Some(&own)).await?;
    }
    let event = Event::new(EventKind::SessionsEnded, Some(session.user))
        .from(&request.source(), &device(&request));
    store.tell(&session.customer, &event, request.now()).await;
    Ok(empty(StatusCode::NO_CONTENT))
}
