//! What may stay of a JSON value: what is listed. The rest stays behind, since nobody can say what is
//! in it; and texts are scrubbed.

use serde_json::{Map, Value};

use crate::scrub::scrub;

/// What may stay of a value.
pub(crate) enum Keep {
    /// A text, which is scrubbed, a number, true or false.
    Plain,
    /// A text that those who build an app have chosen: it stays as it is.
    Exact,
    /// Where something is: a text without what stands behind `?` and `#`, scrubbed.
    Url,
    /// An object with no members but these.
    Object(&'static [(&'static str, Keep)]),
    /// An object with any members.
    Map(&'static Keep),
    /// The same, or a list of pairs; names that speak of a person are left out.
    Tags(&'static Keep),
    /// A list, or an object with a list called `values`.
    List(&'static Keep),
    /// One of two: the first where the value is an object, else the second.
    Either(&'static Keep, &'static Keep),
}

/// A name with one of these words in it, or the plural of one, speaks of a person.
const PERSONAL: [&str; 33] = [
    "account",
    "address",
    "author",
    "contact",
    "customer",
    "displayname",
    "email",
    "employee",
    "familyname",
    "firstname",
    "forename",
    "fullname",
    "givenname",
    "ip",
    "lastname",
    "login",
    "mail",
    "member",
    "mobile",
    "name",
    "nickname",
    "operator",
    "owner",
    "password",
    "person",
    "personal",
    "phone",
    "surname",
    "tel",
    "telephone",
    "user",
    "userid",
    "username",
];

impl Keep {
    /// What of `value` may stay; null where it is of another form than it should be.
    pub(crate) fn apply(&self, value: Value) -> Value {
        match (self, value) {
            (Self::Plain, Value::String(text)) => Value::String(scrub(&text)),
            (Self::Exact, Value::String(text)) => Value::String(text),
            (Self::Plain, value @ (Value::Number(_) | Value::Bool(_))) => value,
            (Self::Url, Value::String(text)) => {
                let place = text.split(['?', '#']).next().unwrap_or_default();
                Value::String(scrub(place))
            }
            (Self::Object(members), Value::Object(mut object)) => {
                let kept = members.iter().filter_map(|(name, keep)| {
                    let kept = keep.apply(object.remove(*name)?);
                    (!kept.is_null()).then(|| ((*name).to_owned(), kept))
                });
                Value::Object(kept.collect())
            }
            (Self::Map(keep), Value::Object(object)) => {
                let kept = object.into_iter();
                let kept = kept.map(|(name, value)| (scrub(&name), keep.apply(value)));
                Value::Object(kept.filter(|(_, value)| !value.is_null()).collect())
            }
            (Self::Tags(keep), Value::Object(mut object)) => {
                object.retain(|name, _| !is_personal(name));
                Self::Map(keep).apply(Value::Object(object))
            }
            (Self::Tags(_), Value::Array(pairs)) => {
                let pairs = pairs.into_iter().filter_map(|pair| match pair {
                    Value::Array(pair) => <[Value; 2]>::try_from(pair).ok(),
                    _ => None,
                });
                let pairs = pairs.filter_map(|[name, value]| Some((name.as_str()?.into(), value)));
                self.apply(Value::Object(pairs.collect()))
            }
            (Self::List(keep), Value::Array(values)) => {
                let kept = values.into_iter().map(|value| keep.apply(value));
                Value::Array(kept.filter(|value| !value.is_null()).collect())
            }
            (Self::List(_), Value::Object(mut object)) => match object.remove("values") {
                Some(values @ Value::Array(_)) => {
                    Value::Object(Map::from_iter([("values".to_owned(), self.apply(values))]))
                }
                _ => Value::Null,
            },
            (Self::Either(keep, _), value @ Value::Object(_)) => keep.apply(value),
            (Self::Either(_, keep), value) => keep.apply(value),
            _ => Value::Null,
        }
    }
}

/// Words end where letters do, and where a capital begins one: `customerName`, `contact2`. A `lastname`
/// is one too.
fn is_personal(name: &str) -> bool {
    let mut words = String::with_capacity(name.len() + 4);
    let mut was_lower = false;
    for c in name.chars() {
        if was_lower && c.is_uppercase() {
            words.push(' ');
        }
        was_lower = c.is_lowercase();
        words.extend(c.to_lowercase());
    }
    let mut words = words.split(|c: char| !c.is_alphabetic());
    words.any(|word| {
        let one = word.strip_suffix('s').unwrap_or(word);
        PERSONAL.contains(&word) || PERSONAL.contains(&one)
    })
}
