//! Why a record or a form is not taken, so that a client can say it in a person's language.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

/// Whoever has that many to mend begins with these.
pub const REFUSALS_MAX: usize = 50;

/// A rule that a value breaks: where, which, and the rule's figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Refusal {
    /// An RFC 6901 pointer into what was sent.
    #[serde(rename = "field")]
    pub pointer: String,
    /// A stable name.
    pub rule: &'static str,
    /// What the rule goes by: `{"max": 10}`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
}

impl Refusal {
    pub fn new(pointer: impl Into<String>, rule: &'static str) -> Self {
        Self { pointer: pointer.into(), rule, arguments: Map::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.arguments.insert(name.to_owned(), value.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number =
            |name: &str| self.arguments.get(name).map(Value::to_string).unwrap_or_default();
        let word =
            |name: &str| self.arguments.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
        match self.rule {
            "wrong_type" => write!(f, "must be of the type {}", word("expected")),
            "required" => f.write_str("is required"),
            "unknown_field" => f.write_str("is no field of this type of records"),
            "no_value" => f.write_str("takes no value"),
            "too_long" => write!(f, "must have at most {} characters", number("max")),
            "too_many" => write!(f, "must have at most {} items", number("max")),
            "too_large" => write!(f, "must have at most {} bytes as JSON", number("max")),
            "too_small_number" => write!(f, "must be {} or more", number("min")),
            "too_large_number" => write!(f, "must be {} or less", number("max")),
            "too_many_decimals" => write!(f, "must have at most {} decimals", number("max")),
            "not_one_line" => f.write_str("must be one line without control characters"),
            "control_characters" => {
                f.write_str("must not have control characters or ones that reorder text")
            }
            "not_an_option" => f.write_str("is none of the options"),
            "not_a_line" => f.write_str("is no line of the checklist"),
            "not_a_column" => f.write_str("is no column of the table"),
            "not_a_verdict" => f.write_str("must be ok, not_ok or not_applicable"),
            "duplicate" => f.write_str("must not occur twice"),
            "not_a_date" => f.write_str("must be a date such as 2026-12-24"),
            "not_a_time" => f.write_str("must be a time of day such as 07:30"),
            "not_an_id" => f.write_str("must be an id"),
            "no_state" => f.write_str("is no state of this type of records"),
            "no_transition" => write!(f, "does not follow on the state {}", word("from")),
            "no_form" => f.write_str("needs a type of records that is defined"),
            "no_version" => f.write_str("is no version of this type of records"),
            "stays" => f.write_str("stays as it is, since the type is defined"),
            "retired" => f.write_str("is retired: no new records are made of it"),
            "nobody" => f.write_str("is nobody of the company"),
            "itself" => f.write_str("must be another record"),
            "empty" => f.write_str("must not be empty"),
            "not_of_kind" => write!(f, "is not for fields of the kind {}", word("kind")),
            "not_in_tables" => f.write_str("cannot be a column of a table"),
            "not_before" => f.write_str("must be the name of a field above this one"),
            "not_comparable" => write!(f, "cannot be a condition: the kind is {}", word("kind")),
            "reversed" => f.write_str("must not be below min"),
            "not_open" => f.write_str("must have a state that is open, and begin with it"),
            other => f.write_str(other),
        }
    }
}
