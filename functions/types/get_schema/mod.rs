//! `GET /v1/types/{type}/schema?version=&language=`: the fields of a type's complete records as JSON Schema 2020-12, for
//! programs. Any role.

use am_http::{
    Answer, Declaration, Handle, Parameter, Problem, RequestBody, Response, Route, SessionRequest,
    StatusCode, json,
};
use domain::{Language, Role};
use runtime::HttpFunction;
use serde_json::{Map, Value};
use store::Store;

use crate::types::{VERSION, read};

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "get-type-schema",
        routes: &[Route::get("/v1/types/{type}/schema")],
        summary: "The fields of a type's complete records as JSON Schema 2020-12",
        parameters: &[
            Parameter::RECORD_TYPE,
            VERSION,
            Parameter::query::<Language>("language", "Of its titles. Without it, English."),
        ],
        body: RequestBody::None,
        answers: &[Answer::json::<Map<String, Value>>(StatusCode::OK, "The schema.")],
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
    let language = request.query::<Language>("language")?.unwrap_or_default();
    let (_, found) = read(store, &request).await?;
    Ok(json(StatusCode::OK, &found.content.form().json_schema(language)))
}
