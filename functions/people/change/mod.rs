//! `PUT /v1/people/{user_id}`: gives somebody another role. Admins and above; only an owner makes owners, or makes one
//! something else. The last owner stays one.

use am_http::{
    Answer, ChangeRefusal, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response,
    ResponseHeader, Route, SessionRequest, StatusCode, change, etag, json, with_header,
};
use domain::{Role, UserId};
use lambda_http::http::header::ETAG;
use runtime::HttpFunction;
use serde::Deserialize;
use store::tenant::{AnswerOfPeople, CardKey, Person, UserKey};
use store::{Store, UserProfile};

use super::{LAST_OWNER, OWNERS_ONLY, refuse_machine, refused};
use crate::shapes::PersonView;

/// What somebody may do from now on.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "PersonUpdate"))]
#[serde(deny_unknown_fields)]
struct Body {
    role: Role,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "change-person",
        routes: &[Route::put("/v1/people/{user_id}")],
        summary: "Gives somebody another role",
        parameters: &[
            Parameter::USER_ID,
            Parameter::IF_MATCH,
            Parameter::IDEMPOTENCY_KEY_OF_A_CHANGE,
        ],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<PersonView>(StatusCode::OK, "The person as of now.")
            .with(&[ResponseHeader::ETAG])],
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
    change(|| update(store, request)).await
}

async fn update(store: &Store, request: SessionRequest<'_>) -> Result<Response, ChangeRefusal> {
    let user: UserId = request.path("user_id")?;
    let once = Once::where_named(&request)?;
    let earlier = once.as_ref().map(|once| AnswerOfPeople(once.key()));
    let opened = request.open(store, (UserKey(user), CardKey(user), earlier)).await?;
    let (found, card, earlier) = opened.found;
    if let Some(view) = Once::earlier_answer(once.as_ref(), earlier)? {
        return Ok(answer(&view));
    }
    let seen = request.if_match()?;
    let Body { role } = request.json()?;
    let current = found.existing()?;
    refuse_machine(&current.content)?;
    if opened.session.role != Role::Owner && [role, current.content.role].contains(&Role::Owner) {
        return Err(
            Problem::new(OWNERS_ONLY, "Only an owner may do this to or for an owner.").into()
        );
    }
    if !seen.admits(current.version) {
        return Err(Problem::stale(current.version).into());
    }
    let content = UserProfile { role, ..current.content.clone() };
    let changed = current.changed(content, opened.session.user, request.now());
    let view = PersonView::from(Person { user, profile: changed.clone(), card });
    let remember = once.map(|once| once.remember(&view));
    store
        .change_person(&opened.session, user, &current, &changed, remember.as_ref())
        .await
        .map_err(refused)?;
    Ok(answer(&view))
}

fn answer(view: &PersonView) -> Response {
    with_header(json(StatusCode::OK, view), ETAG, &etag(view.version))
}
