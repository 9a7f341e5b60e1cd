//! A record's fields held against its form.

use serde_json::{Map, Value};

use super::{Field, FieldKind, Form, REFUSALS_MAX, Refusal, values};
use crate::json_pointer;

impl Form {
    /// All that is wrong with the fields of a record. What was there `before` and stays as it is may be what this form
    /// does not know: nothing is lost because a field was taken out of it. A record is `complete` that has left its open
    /// states: only then, all that is required must be there.
    pub fn check(
        &self,
        fields: &Map<String, Value>,
        before: Option<&Map<String, Value>>,
        complete: bool,
    ) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        for (name, value) in fields {
            let pointer = format!("/fields/{}", json_pointer::escape(name));
            match self.fields.iter().find(|field| field.name.as_str() == name) {
                Some(field) => values::check(field, value, &pointer, &mut refusals),
                None if before.and_then(|before| before.get(name)) == Some(value) => {}
                None => refusals.push(Refusal::new(pointer, "unknown_field")),
            }
        }
        if complete {
            for field in self.fields.iter().filter(|field| self.is_asked(field, fields)) {
                self.require(field, fields, &mut refusals);
            }
        }
        refusals.truncate(REFUSALS_MAX);
        refusals
    }

    fn require(&self, field: &Field, fields: &Map<String, Value>, refusals: &mut Vec<Refusal>) {
        let value = fields.get(field.name.as_str());
        if field.required && values::is_empty(field, value) {
            refusals.push(Refusal::new(format!("/fields/{}", field.name), "required"));
        }
        if field.kind != FieldKind::Table {
            return;
        }
        let rows = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (at, row) in rows.iter().enumerate() {
            for column in field.columns.iter().filter(|column| column.required) {
                if values::is_empty(column, row.get(column.name.as_str())) {
                    let pointer = format!("/fields/{}/{at}/{}", field.name, column.name);
                    refusals.push(Refusal::new(pointer, "required"));
                }
            }
        }
    }

    /// Whether a field is asked for: its condition holds, and the field of the condition is asked for itself.
    pub fn is_asked(&self, field: &Field, fields: &Map<String, Value>) -> bool {
        let Some(when) = &field.when else { return true };
        let mut above = self.fields.iter().take_while(|it| it.name != field.name);
        let Some(other) = above.find(|it| it.name == when.field) else { return true };
        let holds = match fields.get(other.name.as_str()) {
            Some(Value::Array(chosen)) => chosen.iter().any(|it| when.is.contains(it)),
            Some(value) => when.is.contains(value),
            None => false,
        };
        holds && self.is_asked(other, fields)
    }
}
