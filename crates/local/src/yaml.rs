//! CloudFormation's YAML as JSON, with intrinsic functions in their long form.

use serde_json::{Map, Value, json};
use serde_norway::Value as Yaml;

/// Reads a document.
pub(crate) fn read(text: &str) -> Result<Value, serde_norway::Error> {
    serde_norway::from_str(text).map(|yaml| to_json(&yaml))
}

/// A value as CloudFormation's parameters have it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// YAML as JSON, with `!Ref x` as `{"Ref": "x"}` and `!GetAtt a.b` as `{"Fn::GetAtt": ["a", "b"]}`.
fn to_json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => json!(value),
        Yaml::Number(value) => value
            .as_i64()
            .map(Value::from)
            .or_else(|| value.as_f64().map(Value::from))
            .unwrap_or(Value::Null),
        Yaml::String(value) => json!(value),
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(members) => {
            let name = |key: &Yaml| text(&to_json(key));
            members.iter().map(|(key, value)| (name(key), to_json(value))).collect()
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let value = to_json(&tagged.value);
            match tag.trim_start_matches('!') {
                "Ref" => json!({ "Ref": value }),
                "GetAtt" => {
                    let path = text(&value);
                    let parts: Vec<&str> = path.split('.').collect();
                    json!({ "Fn::GetAtt": parts })
                }
                other => {
                    let mut map = Map::new();
                    map.insert(format!("Fn::{other}"), value);
                    Value::Object(map)
                }
            }
        }
    }
}
