//! RFC 7396: a JSON object that says what is to change of another one.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::fields::{FIELDS_DEPTH_MAX, object};

/// What is to change: null takes a member away, an object changes the members that it names, anything else takes a
/// member's place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MergePatch(Map<String, Value>);

impl MergePatch {
    pub const fn members(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl<'de> Deserialize<'de> for MergePatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The member `fields` is one level further down.
        object(deserializer, FIELDS_DEPTH_MAX + 1).map(Self)
    }
}

/// Changes `target` by a patch.
pub fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, change) in patch {
        match change {
            Value::Null => {
                target.remove(name);
            }
            Value::Object(changes) => {
                let mut members = match target.remove(name) {
                    Some(Value::Object(members)) => members,
                    _ => Map::new(),
                };
                merge(&mut members, changes);
                target.insert(name.clone(), Value::Object(members));
            }
            value => {
                target.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MergePatch, merge};
    use serde_json::{Map, Value, from_str};

    /// Those of the RFC's own examples whose target and patch are objects.
    #[test]
    fn objects_are_merged_as_in_the_rfc() {
        for (target, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let patch: MergePatch = from_str(patch).unwrap();
            let mut merged: Map<String, Value> = from_str(target).unwrap();
            merge(&mut merged, patch.members());
            assert_eq!(merged, from_str::<Map<String, Value>>(result).unwrap());
        }
    }
}
