//! Content as JSON, the form that it is stored in: what this release knows of it, and what it does not.

use std::fmt;

use domain::UnknownMembers;
use serde::Serialize;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Content as text; members that were unknown when it was read stand behind the others, as they were.
pub(crate) fn write<T: Serialize>(content: &T, unknown: &UnknownMembers) -> String {
    let mut text = serde_json::to_string(content).expect("domain types become JSON");
    for (name, value) in &unknown.0 {
        let closed = text.pop();
        debug_assert_eq!(closed, Some('}'), "content is an object");
        let name = serde_json::to_string(name).expect("a text becomes JSON");
        let comma = if text.ends_with('{') { "" } else { "," };
        text.push_str(&format!("{comma}{name}:{value}}}"));
    }
    text
}

/// Reads what [`write()`] wrote, in this release or in another one.
pub(crate) fn read<T: DeserializeOwned>(
    text: &str,
) -> Result<(T, UnknownMembers), serde_json::Error> {
    let mut unknown = UnknownMembers::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let content = T::deserialize(Known { inner: &mut json, unknown: &mut unknown })?;
    json.end()?;
    Ok((content, unknown))
}

/// Gives a struct the members that it knows by name, and keeps the others.
struct Known<'a, D> {
    inner: D,
    unknown: &'a mut UnknownMembers,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Known<'_, D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_map(Members { known, unknown: self.unknown, visitor })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Members<'a, V> {
    known: &'static [&'static str],
    unknown: &'a mut UnknownMembers,
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Members<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(KnownMembers { known: self.known, unknown: self.unknown, inner })
    }
}

struct KnownMembers<'a, A> {
    known: &'static [&'static str],
    unknown: &'a mut UnknownMembers,
    inner: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for KnownMembers<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.inner.next_key::<String>()? {
            if self.known.contains(&name.as_str()) {
                return seed.deserialize(StrDeserializer::new(&name)).map(Some);
            }
            let value: Box<RawValue> = self.inner.next_value()?;
            self.unknown.0.push((name, value.get().to_owned()));
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use domain::{Appendix, AppendixVersion, Record};
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_a_later_release_keeps_is_written_back_to_the_byte() {
        let text = r#"{"type":"ncr","title":"x","fields":{"n":1},"mood":"good","score":1.50e+1,"big":123456789012345678901234567890,"list":[ 1, {"a":null} ]}"#;
        let (record, unknown) = read::<Record>(text).unwrap();
        assert_eq!(unknown.0.len(), 4);
        assert_eq!(write(&record, &unknown), text);
        let mixed = r#"{"mood":"good","type":"ncr","title":"x","fields":{}}"#;
        let (record, unknown) = read::<Record>(mixed).unwrap();
        assert_eq!(
            write(&record, &unknown),
            r#"{"type":"ncr","title":"x","fields":{},"mood":"good"}"#
        );
    }

    #[test]
    fn what_broke_no_rule_when_it_was_taken_is_read_for_ever() {
        for title in [String::new(), "x".repeat(5000), "in\u{202E}gpj.exe".to_owned()] {
            let stored = serde_json::json!({"type": "Not A Word", "title": title});
            let (record, _) = read::<Record>(&stored.to_string()).unwrap();
            assert_eq!(record.title.as_str(), title);
        }
        let version = serde_json::json!({
            "content_type": "image", "bytes": 0, "state": "stored", "sha256": "00".repeat(32),
        });
        assert_eq!(read::<AppendixVersion>(&version.to_string()).unwrap().0.bytes.get(), 0);
        let appendix = serde_json::json!({
            "record_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "name": "../x", "last_version": 9000,
        });
        assert_eq!(read::<Appendix>(&appendix.to_string()).unwrap().0.last_version.get(), 9000);
    }

    #[test]
    fn what_is_no_content_is_refused() {
        for text in ["", "[]", "7", "{", r#"{"title":"x"}"#, r#"{"type":"a","title":"x"} x"#] {
            assert!(read::<Record>(text).is_err(), "{text}");
        }
        assert!(
            serde_json::from_str::<Value>(&write(
                &Value::Object(Default::default()),
                &UnknownMembers(vec![("a\"b".to_owned(), "1".to_owned())])
            ))
            .is_ok()
        );
    }
}
