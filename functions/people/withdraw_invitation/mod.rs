//! `DELETE /v1/invitations/{invitation_id}`: nobody comes in by it any more. Admins and above. It stays in the list.

use am_http::{
    Answer, ChangeRefusal, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route,
    SessionRequest, StatusCode, change, empty,
};
use domain::{InvitationId, Role};
use runtime::HttpFunction;
use store::tenant::InvitationKey;
use store::{Invitation, InvitationState, Store};

use super::INVITATION_ENDED;

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "withdraw-invitation",
        routes: &[Route::delete("/v1/invitations/{invitation_id}")],
        summary: "Withdraws an invitation",
        parameters: &[Parameter::INVITATION_ID],
        body: RequestBody::None,
        answers: &[Answer::empty(StatusCode::NO_CONTENT, "Withdrawn, now or before.")],
        problems: &[INVITATION_ENDED],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Admin,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    change(|| withdraw(store, request)).await
}

async fn withdraw(store: &Store, request: SessionRequest<'_>) -> Result<Response, ChangeRefusal> {
    let id: InvitationId = request.path("invitation_id")?;
    let opened = request.open(store, InvitationKey(id)).await?;
    let current = opened.found.existing()?;
    match current.content.state {
        InvitationState::Withdrawn => return Ok(empty(StatusCode::NO_CONTENT)),
        InvitationState::Accepted => {
            let detail = "Somebody has come in by it: remove the person.";
            return Err(Problem::new(INVITATION_ENDED, detail).into());
        }
        InvitationState::Open => {}
    }
    let content = Invitation { state: InvitationState::Withdrawn, ..current.content.clone() };
    let withdrawn = current.changed(content, opened.session.user, request.now());
    store.withdraw_invitation(&opened.session, id, &withdrawn).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
