//! A form as JSON Schema 2020-12, for programs that fill records in. It describes the fields of a complete record; an
//! open one may lack what is required.

use serde_json::{Map, Value, json};

use super::{Choice, Field, FieldKind, Form, When};
use crate::Language;

impl Form {
    /// The schema of the member `fields`.
    pub fn json_schema(&self, language: Language) -> Value {
        let fields = || self.fields.iter().filter(|field| field.kind != FieldKind::Heading);
        let properties: Map<String, Value> =
            fields().map(|field| (field.name.to_string(), property(field, language))).collect();
        let required: Vec<&str> = fields()
            .filter(|field| field.required && field.when.is_none())
            .map(|field| field.name.as_str())
            .collect();
        let conditional: Vec<Value> = fields()
            .filter(|field| field.required)
            .filter_map(|field| self.conditional(field))
            .collect();
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        });
        if let Some(label) = self.labels.in_language(language) {
            schema["title"] = label.as_str().into();
        }
        if !conditional.is_empty() {
            schema["allOf"] = conditional.into();
        }
        schema
    }

    /// That a field is required where it is asked for: where its condition holds, and those of the fields above it.
    fn conditional(&self, field: &Field) -> Option<Value> {
        let mut conditions = Vec::new();
        let mut next = field.when.as_ref();
        while let Some(when) = next {
            let other = self.fields.iter().find(|it| it.name == when.field)?;
            conditions.push(holds(when, other));
            next = other.when.as_ref().filter(|it| it.field != when.field);
        }
        if conditions.is_empty() {
            return None;
        }
        Some(
            json!({ "if": { "allOf": conditions }, "then": { "required": [field.name.as_str()] } }),
        )
    }
}

fn holds(when: &When, other: &Field) -> Value {
    let value = match other.kind {
        FieldKind::Choices => json!({ "type": "array", "contains": { "enum": when.is } }),
        _ => json!({ "enum": when.is }),
    };
    json!({ "required": [when.field.as_str()], "properties": { when.field.as_str(): value } })
}

fn property(field: &Field, language: Language) -> Value {
    let mut schema = value(field, language);
    if let Some(label) = field.labels.in_language(language) {
        schema["title"] = label.as_str().into();
    }
    if let Some(default) = &field.default {
        schema["default"] = default.clone();
    }
    // Null says nothing, and so is no value where one is required.
    if let (false, Some(kind)) = (field.required, schema.get("type").cloned()) {
        schema["type"] = json!([kind, "null"]);
        if let Some(options) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            options.push(Value::Null);
        }
    }
    schema
}

fn value(field: &Field, language: Language) -> Value {
    let names = |choices: &[Choice]| -> Vec<Value> {
        choices.iter().map(|it| it.name.as_str().into()).collect()
    };
    let id = || json!({ "type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$" });
    match field.kind {
        FieldKind::Text | FieldKind::LongText | FieldKind::Code => json!({ "type": "string" }),
        FieldKind::Number => {
            let mut schema = json!({ "type": "number" });
            if let Some(min) = &field.min {
                schema["minimum"] = Value::Number(min.clone());
            }
            if let Some(max) = &field.max {
                schema["maximum"] = Value::Number(max.clone());
            }
            if let Some(unit) = &field.unit {
                schema["description"] = unit.as_str().into();
            }
            schema
        }
        FieldKind::YesNo => json!({ "type": "boolean" }),
        FieldKind::Choice => json!({ "type": "string", "enum": names(&field.options) }),
        FieldKind::Choices => json!({
            "type": "array",
            "items": { "enum": names(&field.options) },
            "uniqueItems": true,
        }),
        FieldKind::Checklist => {
            let line = json!({
                "type": ["object", "null"],
                "properties": {
                    "verdict": { "enum": ["ok", "not_ok", "not_applicable", null] },
                    "remark": { "type": ["string", "null"] },
                },
                "additionalProperties": false,
            });
            let lines: Map<String, Value> =
                field.lines.iter().map(|it| (it.name.to_string(), line.clone())).collect();
            json!({ "type": "object", "properties": lines, "additionalProperties": false })
        }
        FieldKind::Date => json!({ "type": "string", "format": "date" }),
        FieldKind::Time => {
            json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" })
        }
        FieldKind::Person | FieldKind::Record | FieldKind::Signature => id(),
        FieldKind::Photo => json!({ "type": "array", "items": id(), "uniqueItems": true }),
        FieldKind::Table => {
            let columns: Map<String, Value> = field
                .columns
                .iter()
                .map(|column| (column.name.to_string(), property(column, language)))
                .collect();
            let required: Vec<&str> = field
                .columns
                .iter()
                .filter(|column| column.required)
                .map(|column| column.name.as_str())
                .collect();
            json!({
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": columns,
                    "required": required,
                    "additionalProperties": false,
                },
            })
        }
        FieldKind::Heading | FieldKind::Unknown => json!({}),
    }
}
