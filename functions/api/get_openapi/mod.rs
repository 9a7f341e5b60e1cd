//! `GET /v1/openapi.json`: the description of this API, for programs that make clients. Anyone.

use std::sync::LazyLock;

use am_http::{
    Answer, Declaration, Handle, Problem, RequestBody, Response, Route, StatusCode, text,
};
use lambda_http::http::header::CACHE_CONTROL;
use runtime::HttpFunction;
use serde_json::{Map, Value};

/// Made from what the endpoints declare, and held against them by a test: `tests/it/contract.rs`.
const DOCUMENT: &str = include_str!("../../../docs/openapi.json");

pub const FUNCTION: HttpFunction<()> = HttpFunction {
    declaration: Declaration {
        name: "get-openapi",
        routes: &[Route::get("/v1/openapi.json"), Route::head("/v1/openapi.json")],
        summary: "This description of the API, OpenAPI 3.1",
        parameters: &[],
        body: RequestBody::None,
        answers: &[Answer::json::<Map<String, Value>>(StatusCode::OK, "The description.")],
        problems: &[],
    },
    build: |_| Ok(()),
    handle: Handle::Anyone(|(), _| Box::pin(async { handle() })),
};

/// Without the white space that docs/ has for its readers: a third of it.
static COMPACT: LazyLock<String> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(DOCUMENT).expect("a test has read it");
    document.to_string()
});

fn handle() -> Result<Response, Problem> {
    let response = text(StatusCode::OK, COMPACT.clone());
    Ok(am_http::with_header(response, CACHE_CONTROL, "public, max-age=300"))
}
