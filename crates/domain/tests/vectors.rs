//! `vectors/fields.json`: what is taken and what is refused, for every implementation.

use std::collections::HashMap;

use domain::{Definition, Form, Refusal};
use serde::Deserialize;
use serde_json::{Map, Value};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/fields.json");

#[derive(Deserialize)]
struct Vectors {
    forms: HashMap<String, Form>,
    cases: Vec<Case>,
    definitions: Vec<DefinitionCase>,
}

#[derive(Deserialize)]
struct Case {
    says: String,
    form: String,
    complete: bool,
    fields: Map<String, Value>,
    before: Option<Map<String, Value>>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct DefinitionCase {
    says: String,
    form: Form,
    refused: Vec<Refused>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Refused {
    field: String,
    rule: String,
    #[serde(default)]
    arguments: Map<String, Value>,
}

impl From<Refusal> for Refused {
    fn from(it: Refusal) -> Self {
        assert_ne!(it.to_string(), it.rule, "a sentence for people");
        Self { field: it.pointer, rule: it.rule.to_owned(), arguments: it.arguments }
    }
}

fn vectors() -> Vectors {
    let text = std::fs::read_to_string(VECTORS).expect("the vectors");
    serde_json::from_str(&text).expect("vectors as described")
}

fn refused(refusals: Vec<Refusal>) -> Vec<Refused> {
    refusals.into_iter().map(Refused::from).collect()
}

#[test]
fn fields_are_taken_and_refused_as_the_vectors_say() {
    let Vectors { forms, cases, .. } = vectors();
    assert!(cases.len() >= 300, "{} cases", cases.len());
    for case in cases {
        let found = forms[&case.form].check(&case.fields, case.before.as_ref(), case.complete);
        assert_eq!(refused(found), case.refused, "{}", case.says);
    }
}

#[test]
fn forms_are_taken_and_refused_as_the_vectors_say() {
    for case in vectors().definitions {
        let found = Definition::new(case.form).err().unwrap_or_default();
        assert_eq!(refused(found), case.refused, "{}", case.says);
    }
}

#[test]
fn a_kind_of_a_later_release_is_shown_and_takes_anything() {
    let json = r#"{"fields":[{"gauge":{"hz":7},"kind":"waveform","labels":{"en":"Wave"},"name":"wave"}],"labels":{"en":"T"},"mood":1}"#;
    let stored: Definition = serde_json::from_str(json).expect("a stored form is read");
    assert_eq!(serde_json::to_string(&stored).expect("JSON"), json, "nothing is lost");
    let fields = serde_json::json!({ "wave": { "a": [1] } });
    let fields = fields.as_object().expect("an object");
    assert_eq!(stored.form().check(fields, None, true), []);
}
