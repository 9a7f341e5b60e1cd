//! `GET /v1/types`: the company's types of records, and those that it could take over. Any role.

use am_http::{
    Answer, Declaration, Handle, Problem, RequestBody, Response, Route, SessionRequest, StatusCode,
    json,
};
use domain::{Definition, RecordType, Role, form};
use runtime::HttpFunction;
use serde::Serialize;
use store::Store;
use store::tenant::ListTypes;

use crate::shapes::TypeView;

/// The types of a company.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct TypeList {
    types: Vec<TypeView>,
    /// What companies begin with, as far as this one has no types of these names. `POST /v1/types` takes one over.
    starters: Vec<Starter>,
}

/// A type that a company could take over.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "TypeStarter"))]
struct Starter {
    #[serde(rename = "type")]
    record_type: RecordType,
    form: Definition,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "list-types",
        routes: &[Route::get("/v1/types")],
        summary: "The types of records",
        parameters: &[],
        body: RequestBody::None,
        answers: &[Answer::json::<TypeList>(StatusCode::OK, "All of them.")],
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
    let (_, found) = request.open_and(store, (), ListTypes).await?;
    let is_taken = |name: &RecordType| found.iter().any(|(taken, _)| taken == name);
    let starters = form::starters().into_iter().filter(|(name, _)| !is_taken(name));
    let starters = starters.map(|(record_type, form)| Starter { record_type, form }).collect();
    let types = found.iter().map(|(name, type_)| TypeView::new(name.clone(), type_)).collect();
    Ok(json(StatusCode::OK, &TypeList { types, starters }))
}
