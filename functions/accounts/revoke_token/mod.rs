//! `DELETE /v1/tokens/{token_id}`: a token lets nothing in any more, at once. Admins and above. Done again, it is done.

use am_http::{
    Answer, ChangeRefusal, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, change, empty,
};
use domain::{Role, UserId};
use runtime::HttpFunction;
use store::Store;
use store::tenant::UserKey;

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "revoke-token",
        routes: &[Route::delete("/v1/tokens/{token_id}")],
        summary: "Lets a program in no more",
        parameters: &[Parameter::path::<UserId>("token_id", "The token, by its id.")],
        body: RequestBody::None,
        answers: &[Answer::empty(StatusCode::NO_CONTENT, "Revoked.")],
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
    change(|| revoke(store, request)).await
}

async fn revoke(store: &Store, request: SessionRequest<'_>) -> Result<Response, ChangeRefusal> {
    let id: UserId = request.path("token_id")?;
    let opened = request.open(store, UserKey(id)).await?;
    let current = opened.found.newest()?;
    // People go another way.
    if current.content.machine.is_none() {
        return Err(Problem::not_found().into());
    }
    if !current.deleted {
        let tombstone = current.tombstone(opened.session.user, request.now());
        store.revoke_machine(&opened.session, id, &tombstone).await?;
    }
    Ok(empty(StatusCode::NO_CONTENT))
}
