//! `DELETE /v1/people/{user_id}`: somebody does not belong to the company any more, from this moment on. Admins and
//! above; only an owner removes owners. What the person has done stays, with their name.

use am_http::{
    Answer, ChangeRefusal, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response,
    Route, SessionRequest, StatusCode, change, empty,
};
use domain::{Role, UserId};
use runtime::HttpFunction;
use store::Store;
use store::tenant::{AnswerOfPeople, UserKey};

use super::{LAST_OWNER, OWNERS_ONLY, refuse_machine, refused};

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "remove-person",
        routes: &[Route::delete("/v1/people/{user_id}")],
        summary: "Removes somebody from the company; what they have done stays",
        parameters: &[
            Parameter::USER_ID,
            Parameter::IF_MATCH,
            Parameter::IDEMPOTENCY_KEY_OF_A_CHANGE,
        ],
        body: RequestBody::None,
        answers: &[Answer::empty(StatusCode::NO_CONTENT, "Removed, and logged out everywhere.")],
        problems: &[OWNERS_ONLY, LAST_OWNER],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Admin,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    change(|| remove(store, request)).await
}

async fn remove(store: &Store, request: SessionRequest<'_>) -> Result<Response, ChangeRefusal> {
    let user: UserId = request.path("user_id")?;
    let once = Once::where_named(&request)?;
    let earlier = once.as_ref().map(|once| AnswerOfPeople(once.key()));
    let opened = request.open(store, (UserKey(user), earlier)).await?;
    let (found, earlier) = opened.found;
    if let Some(()) = Once::earlier_answer(once.as_ref(), earlier)? {
        return Ok(empty(StatusCode::NO_CONTENT));
    }
    let seen = request.if_match()?;
    let (session, current) = (&opened.session, found.newest()?);
    refuse_machine(&current.content)?;
    let tombstone = seen.tombstone(&current, session.user, request.now())?;
    if session.role != Role::Owner && current.content.role == Role::Owner {
        return Err(Problem::new(OWNERS_ONLY, "Only an owner may remove an owner.").into());
    }
    let remember = once.map(|once| once.remember(&()));
    store
        .change_person(session, user, &current, &tombstone, remember.as_ref())
        .await
        .map_err(refused)?;
    Ok(empty(StatusCode::NO_CONTENT))
}
