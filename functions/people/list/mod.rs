//! `GET /v1/people`: who belongs to the company, and who did. Any role; what others log in with is for admins and above.

use am_http::{
    Answer, Declaration, Handle, Problem, RequestBody, Response, Route, SessionRequest, StatusCode,
    json,
};
use domain::Role;
use runtime::HttpFunction;
use serde::Serialize;
use store::Store;
use store::tenant::{ListPeople, Person};

use crate::shapes::PersonView;

/// Everybody of the company.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct People {
    people: Vec<PersonView>,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "list-people",
        routes: &[Route::get("/v1/people")],
        summary: "Who belongs to the company, and who did",
        parameters: &[],
        body: RequestBody::None,
        answers: &[Answer::json::<People>(StatusCode::OK, "All of them.")],
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
    let (opened, people) = request.open_and(store, (), ListPeople).await?;
    let (own, role) = (opened.session.user, opened.session.role);
    let view = |person: Person| {
        let is_shown = role >= Role::Admin || person.user == own;
        let mut view = PersonView::from(person);
        view.user.sign_in_name = view.user.sign_in_name.filter(|_| is_shown);
        view
    };
    let people = people.into_iter().map(view).collect();
    Ok(json(StatusCode::OK, &People { people }))
}
