//! Holds each answer against docs/openapi.json: a status or a code that is not described fails the test
//! that came upon it, whatever the test is about.

use std::sync::LazyLock;

use serde_json::Value;

use crate::answer::Answer;
use crate::repository::repository;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = std::fs::read(repository().join("docs/openapi.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
});

/// The route as API Gateway names it: `GET /v1/records/{record_id}`.
pub(crate) fn assert_described(route: &str, answer: &Answer) {
    // What no route takes is described by no route, and pages are for people.
    let Some((method, path)) = route.split_once(' ').filter(|(_, path)| path.starts_with("/v1/"))
    else {
        return;
    };
    let operation = &DOCUMENT["paths"][path.replace("+}", "}")][method.to_ascii_lowercase()];
    let described = &operation["responses"][answer.status().to_string()];
    assert!(described.is_object(), "{route} may not answer so: {answer:?}");
    let content_type = answer.header("content-type");
    if content_type.is_empty() {
        assert!(described["content"].is_null(), "{route} must have a body: {answer:?}");
        return;
    }
    let content = &described["content"][content_type];
    assert!(content.is_object(), "{route} may not answer with {content_type}: {answer:?}");
    let codes = &content["schema"]["properties"]["code"]["enum"];
    if content_type == "application/problem+json" {
        let known = codes.as_array().into_iter().flatten().any(|code| *code == *answer.code());
        assert!(known, "{route} may not answer with this code: {answer:?}");
    }
}
