//! The schemas of all types, each under its name.

use am_http::TypeOf;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// What is sent and what is answered are described apart: what may be left out differs.
pub struct Schemas {
    sent: SchemaGenerator,
    answered: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12()
                .with(|it| it.definitions_path = "/components/schemas".into())
        };
        Self {
            sent: settings().for_deserialize().into_generator(),
            answered: settings().for_serialize().into_generator(),
        }
    }
}

impl Schemas {
    pub fn sent(&mut self, of: TypeOf) -> Value {
        (of.schema)(&mut self.sent).to_value()
    }

    pub fn answered(&mut self, of: TypeOf) -> Value {
        (of.schema)(&mut self.answered).to_value()
    }

    /// All that was referred to, and what problems look like.
    pub fn into_components(mut self) -> Map<String, Value> {
        let mut all = self.sent.take_definitions(true);
        for (name, schema) in self.answered.take_definitions(true) {
            let other = all.insert(name.clone(), schema.clone());
            assert!(other.is_none_or(|it| it == schema), "two types are called {name}");
        }
        all.insert("Problem".to_owned(), problem());
        all.insert("GatewayMessage".to_owned(), gateway_message());
        all
    }
}

/// RFC 9457, with what is ours.
fn problem() -> Value {
    json!({
        "type": "object",
        "description": "Why a request was not done (RFC 9457).",
        "properties": {
            "type": { "const": "about:blank" },
            "title": { "type": "string", "description": "What the status is called." },
            "status": { "type": "integer" },
            "code": { "type": "string", "description": "Stable: for programs." },
            "detail": { "type": "string", "description": "For people." },
            "request_id": { "type": "string", "description": "What to name when asking for help." },
            "field": {
                "type": "string",
                "description": "The bad value: a JSON pointer into the body, or ?name of the query.",
            },
            "rule": { "type": "string", "description": "The rule that is broken, by a stable name: for clients that say it in their own words." },
            "arguments": { "type": "object", "description": "The rule's figures." },
            "errors": {
                "type": "array",
                "description": "All rules that are broken, where there may be several.",
                "items": {
                    "type": "object",
                    "properties": {
                        "field": { "type": "string" },
                        "rule": { "type": "string" },
                        "arguments": { "type": "object" },
                    },
                    "required": ["field", "rule"],
                },
            },
            "current": {
                "type": "object",
                "description": "With stale_version of a record: the record as it is now.",
            },
            "current_version": {
                "type": "integer",
                "description": "With stale_version: the version that it is at.",
            },
        },
        "required": ["type", "title", "status", "code", "detail", "request_id"],
    })
}

fn gateway_message() -> Value {
    json!({
        "type": "object",
        "description": "What API Gateway answers by itself: no function was asked.",
        "properties": { "message": { "type": ["string", "null"] } },
        "required": ["message"],
    })
}
