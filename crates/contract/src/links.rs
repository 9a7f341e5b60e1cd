//! What can be done next with a thing that was just made.

use am_http::{Answer, ResponseHeader, StatusCode};
use serde_json::{Map, Value, json};

use crate::operation::Operation;

/// Links from the answer that makes something, by its status, to every operation on what was made: its id
/// and its version go along.
pub fn after(
    made_by: &Operation<'_>,
    all: &[Operation<'_>],
) -> Option<(String, Map<String, Value>)> {
    let makes = |answer: &&Answer| {
        let has = |header: &ResponseHeader| header.name == ResponseHeader::LOCATION.name;
        answer.status == StatusCode::CREATED && answer.headers.iter().any(has)
    };
    let answer = made_by.declaration.answers.iter().find(makes)?;
    let mut links = Map::new();
    let parent = format!("{}/{{", made_by.route.path);
    for next in all.iter().filter(|next| next.route.path.starts_with(&parent)) {
        let mut parameters = Map::new();
        let known = made_by.route.path_parameters().count();
        let mut of_next = next.route.path_parameters();
        for name in of_next.by_ref().take(known) {
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
    Some((answer.status.as_u16().to_string(), links)).filter(|(_, links)| !links.is_empty())
}
