//! The fields of a record: a JSON object in the customer's own shape.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Number, Value};

use crate::FromStored;

/// Deep enough for any form, far from where recursion would matter.
pub const FIELDS_DEPTH_MAX: usize = 8;
/// An item is at most 400 KB in DynamoDB; a record is stored twice, as itself and as a revision.
pub const FIELDS_BYTES_MAX: usize = 64 * 1024;
/// A name is shown as a column or a label.
pub const FIELD_NAME_CHARS_MAX: usize = 100;

/// A JSON object of at most 64 KiB and eight levels. What could not be given back as it was sent
/// is refused rather than changed: a name that occurs twice, a whole number beyond 64 bits. Others
/// are doubles, as everywhere in JSON (RFC 8259, section 6): 15 digits are kept. Names come back
/// sorted, which gives one content one digest.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Fields(Map<String, Value>);

impl Fields {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub const fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl FromStored for Fields {
    type Form = Map<String, Value>;

    fn from_stored(fields: Map<String, Value>) -> Self {
        Self(fields)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = object(deserializer, FIELDS_DEPTH_MAX)?;
        let bytes = serde_json::to_vec(&fields).map_err(D::Error::custom)?.len();
        if bytes > FIELDS_BYTES_MAX {
            return Err(D::Error::custom(format!(
                "must have at most {FIELDS_BYTES_MAX} bytes as JSON, has {bytes}"
            )));
        }
        Ok(Self(fields))
    }
}

/// A JSON object of at most so many levels, with names and numbers as they may be in fields.
pub(crate) fn object<'de, D: Deserializer<'de>>(
    deserializer: D,
    levels: usize,
) -> Result<Map<String, Value>, D::Error> {
    match (Level { left: levels }).deserialize(deserializer)? {
        Value::Object(object) => Ok(object),
        _ => Err(D::Error::custom("must be a JSON object")),
    }
}

const TWO_POW_63: f64 = 9_223_372_036_854_775_808.0;
const FITS_64_BITS: &str = "must be a number that fits 64 bits; send it as text";

/// One level of nesting on the way down.
struct Level {
    /// So many levels may be below it.
    left: usize,
}

impl Level {
    fn below<E: Error>(&self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left }),
            None => Err(E::custom(format!("must be nested at most {FIELDS_DEPTH_MAX} levels"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    /// A whole number that does not fit 64 bits arrives here too, rounded: no silent loss. -2^63 itself
    /// fits, and does not arrive here.
    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        if value.fract() == 0.0 && (value >= 2.0 * TWO_POW_63 || value <= -TWO_POW_63) {
            return Err(E::custom(FITS_64_BITS));
        }
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("must be finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.below()?)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if name.is_empty() || name.chars().count() > FIELD_NAME_CHARS_MAX {
                return Err(A::Error::custom(format!(
                    "a field name must have 1 to {FIELD_NAME_CHARS_MAX} characters"
                )));
            }
            if map.contains_key(&name) {
                return Err(A::Error::custom("a field name must not occur twice"));
            }
            let value = entries.next_value_seed(self.below()?)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Fields, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_sent_is_what_is_kept() {
        let json = r#"{"crew":["Eva","Åke"],"n":-3,"note":null,"ok":true,"torque":{"nm":12.5}}"#;
        assert_eq!(serde_json::to_string(&parse(json).unwrap()).unwrap(), json);
        for whole in ["18446744073709551615", "-9223372036854775808"] {
            let json = format!(r#"{{"n":{whole}}}"#);
            assert_eq!(serde_json::to_string(&parse(&json).unwrap()).unwrap(), json);
        }
    }

    /// Each is read as itself, and not as the double beside it.
    #[test]
    fn every_double_comes_back() {
        let mut bits = 1_u64;
        for _ in 0..20_000 {
            // Any sequence does that reaches many; this one is Knuth's.
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let exponent = 1023 - 40 + (bits >> 58);
            let value = f64::from_bits(exponent << 52 | bits >> 12);
            let json = serde_json::to_string(&serde_json::json!({ "n": value })).unwrap();
            let kept = parse(&json).unwrap();
            assert_eq!(kept.get("n").and_then(Value::as_f64), Some(value));
            assert_eq!(serde_json::to_string(&kept).unwrap(), json);
        }
    }

    #[test]
    fn what_could_not_be_given_back_is_refused() {
        for (json, rule) in [
            ("[]", "must be a JSON object"),
            ("7", "must be a JSON object"),
            (r#"{"a":1,"a":2}"#, "twice"),
            (r#"{"a":{"b":1,"b":2}}"#, "twice"),
            (r#"{"n":123456789012345678901234567890}"#, "fits 64 bits"),
            (r#"{"n":1e999}"#, "out of range"),
            (r#"{"":1}"#, "1 to 100 characters"),
        ] {
            let error = parse(json).unwrap_err();
            assert!(error.contains(rule), "{json}: {error}");
        }
    }

    #[test]
    fn what_was_once_rounded_is_read_and_not_taken_again() {
        for json in [
            r#"{"n":-10000000000000000001}"#,
            r#"{"n":[{"m":-9223372036854775809}]}"#,
            r#"{"n":-1e19}"#,
        ] {
            let rule = parse(json).unwrap_err();
            assert!(rule.contains("fits 64 bits"), "{json}: {rule}");
            let stored = Fields::from_stored(serde_json::from_str(json).unwrap());
            assert_eq!(stored.0.len(), 1, "{json}");
        }
        assert!(parse(r#"{"n":-9223372036854775808,"m":-0.5}"#).is_ok());
    }

    #[test]
    fn depth_and_size_have_limits() {
        let nested = |n: usize| format!("{}1{}", r#"{"a":"#.repeat(n), "}".repeat(n));
        assert!(parse(&nested(8)).is_ok());
        assert!(parse(&nested(9)).unwrap_err().contains("nested at most 8"));
        let sized = |n: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(n));
        assert!(parse(&sized(FIELDS_BYTES_MAX - 8)).is_ok());
        assert!(parse(&sized(FIELDS_BYTES_MAX - 7)).unwrap_err().contains("65536 bytes"));
    }
}
