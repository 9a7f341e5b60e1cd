//! The description of the API, OpenAPI 3.1, made of what each endpoint declares. A test holds
//! docs/openapi.json against it, and writes it: `UPDATE_DOCS=1 cargo test --test it docs`. No function
//! is built with any of this.

mod links;
mod operation;
mod schemas;

use serde_json::{Map, Value, json};

use operation::Operation;
use schemas::Schemas;

/// The whole document.
pub fn document() -> Value {
    let functions = am_service::all();
    let operations = functions.iter().flat_map(Operation::all);
    // Pages are for people.
    let operations: Vec<Operation<'_>> =
        operations.filter(|it| it.path().starts_with("/v1/")).collect();
    let mut schemas = Schemas::default();
    let mut paths: Map<String, Value> = Map::new();
    for operation in &operations {
        let mut described = operation.describe(&mut schemas);
        if let Some((status, links)) = links::after(operation, &operations) {
            described["responses"][status]["links"] = Value::Object(links);
        }
        let methods = paths.entry(operation.path()).or_insert_with(|| json!({}));
        methods[operation.method()] = described;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "AM Service",
            "version": "1",
            "description": "Records of manufacturers, with appendices. docs/API.md has the concepts.",
        },
        "servers": [{ "url": "/" }],
        "tags": tags(&functions),
        "paths": paths,
        "components": {
            "responses": operation::of_the_gateway(),
            "schemas": schemas.into_components(),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "cookie": { "type": "apiKey", "in": "cookie", "name": am_http::SESSION_COOKIE },
            },
        },
    })
}

/// The document as it is kept, a member a line.
pub fn text() -> String {
    let mut text = format!("{:#}", document());
    text.push('\n');
    text
}

/// The subjects that endpoints are grouped by.
fn tags(functions: &[runtime::Function]) -> Vec<Value> {
    let mut subjects: Vec<&str> = functions
        .iter()
        .filter(|function| function.endpoint.is_some() && !function.folder.starts_with("web/"))
        .filter_map(|function| Some(function.folder.split_once('/')?.0))
        .collect();
    subjects.dedup();
    subjects.into_iter().map(|name| json!({ "name": name })).collect()
}
