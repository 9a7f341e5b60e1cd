//! What can be done next with a thing that was just made.

use am_http::{Answer, ResponseHeader, StatusCode};
use serde_json::{Map, Value, json};

use crate::operation::Operation;

/// Links from the answer that made something to every operation on it: its id and its version go along.
pub fn after(
    made_by: &Operation<'_>,
    answer: &Answer,
    all: &[Operation<'_>],
) -> Map<String, Value> {
    let has = |header: ResponseHeader| answer.headers.iter().any(|it| it.name == header.name);
    let mut links = Map::new();
    if answer.status != StatusCode::CREATED || !has(ResponseHeader::LOCATION) {
        return links;
    }
    let parent = format!("{}/{{", made_by.route.path);
    for next in all.iter().filter(|next| next.route.path.starts_with(&parent)) {
        let mut parameters = Map::new();
        let known: Vec<&str> = made_by.route.path_parameters().collect();
        let mut of_next = next.route.path_parameters();
        for name in of_next.by_ref().take(known.len()) {
            parameters.insert(format!("path.{name}"), json!(format!("$request.path.{name}")));
        }
        // What is deeper than the new thing is not there yet.
        let (Some(name), None) = (of_next.next(), of_next.next()) else { continue };
        parameters.insert(format!("path.{name}"), json!("$response.body#/id"));
        if next.declaration.parameters.iter().any(|it| it.name == "If-Match") {
            parameters.insert("header.If-Match".to_owned(), json!("$response.header.ETag"));
        }
        links.insert(next.id(), json!({ "operationId": next.id(), "parameters": parameters }));
    }
    links
}
