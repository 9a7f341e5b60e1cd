//! Sentry's envelopes: a line of headers, then items of a line of headers and a payload each.
//! <https://develop.sentry.dev/sdk/foundations/transport/envelopes/>

use serde_json::{Map, Value, json};

use crate::kinds;
use crate::{Dsn, Issue};

/// Sentry's own limit for one event; what else is passed on is smaller.
pub const EVENT_BYTES_MAX: usize = 1024 * 1024;
/// Sentry's own limit is the same for sessions, and lower for what is not passed on.
const ITEMS_MAX: usize = 100;

/// Why something is no envelope: what rule it breaks, at which of its items.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    #[error("the first line must be a JSON object, the envelope's headers")]
    Headers,
    #[error("the headers must have a \"dsn\", as the SDKs send it with the option \"tunnel\"")]
    NoDsn,
    #[error("\"event_id\" must be 32 hexadecimal digits")]
    EventId,
    #[error("item {0}: its headers must be a line with a JSON object that has a \"type\"")]
    ItemHeaders(usize),
    #[error("item {0}: its payload must have the \"length\" that its headers say")]
    Length(usize),
    #[error("item {0}: its payload must be a JSON object")]
    Payload(usize),
    #[error("item {0}: it must have at most {EVENT_BYTES_MAX} bytes")]
    TooLarge(usize),
    #[error("there must be at most {ITEMS_MAX} items")]
    TooMany,
}

/// One envelope. Parsed, it is as a device sent it; [`Envelope::scrub`] makes it what may be sent on.
#[derive(Clone, Debug)]
pub struct Envelope {
    headers: Map<String, Value>,
    items: Vec<Item>,
}

/// One of its items.
#[derive(Clone, Debug)]
struct Item {
    kind: String,
    /// `None`: of a kind that is not passed on, and was not looked at.
    payload: Option<Value>,
}

impl Envelope {
    /// Reads all of `bytes`. The items' places in errors count from 1.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let (headers, mut rest) = line(bytes);
        let headers = object(headers).ok_or(EnvelopeError::Headers)?;
        let mut items = Vec::new();
        while !rest.iter().all(u8::is_ascii_whitespace) {
            if items.len() == ITEMS_MAX {
                return Err(EnvelopeError::TooMany);
            }
            let item;
            (item, rest) = Item::parse(items.len() + 1, rest)?;
            items.push(item);
        }
        Ok(Self { headers, items })
    }

    /// The project that it is for.
    pub fn dsn(&self) -> Result<Dsn, EnvelopeError> {
        let dsn = self.headers.get("dsn").and_then(Value::as_str);
        dsn.and_then(|dsn| dsn.parse().ok()).ok_or(EnvelopeError::NoDsn)
    }

    /// The id of the event in it, in lower case and without hyphens; `None` where there is no event.
    pub fn event_id(&self) -> Result<Option<String>, EnvelopeError> {
        let id = match self.headers.get("event_id") {
            None | Some(Value::Null) => return Ok(None),
            Some(id) => id.as_str().ok_or(EnvelopeError::EventId)?,
        };
        let id = id.replace('-', "").to_ascii_lowercase();
        let fits = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if fits { Ok(Some(id)) } else { Err(EnvelopeError::EventId) }
    }

    /// Takes out whatever may be somebody's personal data: only what is listed stays, and its texts
    /// are scrubbed. The kinds of items that were left out as a whole.
    pub fn scrub(&mut self) -> Vec<String> {
        let headers = Value::Object(std::mem::take(&mut self.headers));
        if let Value::Object(headers) = kinds::HEADERS.apply(headers) {
            self.headers = headers;
        }
        let mut left_out = Vec::new();
        self.items.retain_mut(|item| match (kinds::of(&item.kind), item.payload.take()) {
            (Some(keep), Some(payload)) => {
                item.payload = Some(keep.apply(payload));
                true
            }
            _ => {
                left_out.push(std::mem::take(&mut item.kind));
                false
            }
        });
        left_out.sort();
        left_out.dedup();
        left_out
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Value::Object(self.headers.clone()).to_string().into_bytes();
        bytes.push(b'\n');
        bytes.extend(self.items_to_bytes());
        bytes
    }

    /// The same without the headers, which differ when an SDK sends it again.
    pub fn items_to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for Item { kind, payload } in &self.items {
            let payload = payload.as_ref().unwrap_or(&Value::Null).to_string();
            bytes.extend(json!({ "type": kind, "length": payload.len() }).to_string().into_bytes());
            bytes.push(b'\n');
            bytes.extend(payload.into_bytes());
            bytes.push(b'\n');
        }
        bytes
    }

    /// Whether it tells of the same as an issue does: its newest error has that type and value. Sentry
    /// would put both together, unless it groups by something else.
    pub fn tells_of(&self, issue: &Issue) -> bool {
        self.items.iter().filter_map(|item| item.payload.as_ref()).any(|event| issue.is_of(event))
    }
}

impl Item {
    fn parse(place: usize, bytes: &[u8]) -> Result<(Self, &[u8]), EnvelopeError> {
        let (headers, rest) = line(bytes);
        let headers = object(headers).ok_or(EnvelopeError::ItemHeaders(place))?;
        let kind = headers.get("type").and_then(Value::as_str);
        let kind = kind.ok_or(EnvelopeError::ItemHeaders(place))?.to_owned();
        let (payload, rest) = match headers.get("length") {
            None | Some(Value::Null) => line(rest),
            Some(length) => {
                let length = length.as_u64().and_then(|it| usize::try_from(it).ok());
                let split = length.and_then(|length| rest.split_at_checked(length));
                let (payload, rest) = split.ok_or(EnvelopeError::Length(place))?;
                match rest {
                    [] => (payload, rest),
                    [b'\n', rest @ ..] => (payload, rest),
                    _ => return Err(EnvelopeError::Length(place)),
                }
            }
        };
        let payload = match kinds::of(&kind) {
            None => None,
            Some(_) if payload.len() > EVENT_BYTES_MAX => {
                return Err(EnvelopeError::TooLarge(place));
            }
            Some(_) => Some(Value::Object(object(payload).ok_or(EnvelopeError::Payload(place))?)),
        };
        Ok((Self { kind, payload }, rest))
    }
}

/// Up to the next line feed, and what is behind it.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}

fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: &str = r#"{"event_id":"9EC79C33-ec99-42ab-8353-589fcb2e04dc","dsn":"https://key@o1.ingest.de.sentry.io/7"}"#;

    fn parse(items: &str) -> Result<Envelope, EnvelopeError> {
        Envelope::parse(format!("{HEADERS}\n{items}").as_bytes())
    }

    #[test]
    fn items_are_read_with_and_without_a_length_and_the_last_line_feed() {
        for items in [
            "{\"type\":\"event\"}\n{\"level\":\"error\"}",
            "{\"type\":\"event\",\"length\":17}\n{\"level\":\"error\"}\n\n\n",
            "{\"type\":\"attachment\",\"length\":3}\n\n\n\n\n{\"type\":\"event\"}\n{\"level\":\"error\"}\n",
        ] {
            let mut envelope = parse(items).unwrap();
            envelope.scrub();
            let sent = String::from_utf8(envelope.to_bytes()).unwrap();
            let (_, sent) = sent.split_once('\n').unwrap();
            assert_eq!(
                sent, "{\"length\":17,\"type\":\"event\"}\n{\"level\":\"error\"}\n",
                "{items}"
            );
        }
    }

    #[test]
    fn what_is_sent_is_an_envelope_again() {
        let mut envelope = parse("{\"type\":\"event\"}\n{\"message\":\"å\\n{}\"}").unwrap();
        envelope.scrub();
        let again = Envelope::parse(&envelope.to_bytes()).unwrap();
        assert_eq!(again.to_bytes(), envelope.to_bytes());
        assert_eq!(again.event_id(), Ok(Some("9ec79c33ec9942ab8353589fcb2e04dc".to_owned())));
        assert_eq!(again.dsn().unwrap().project_id().value(), "7");
    }

    #[test]
    fn what_is_no_envelope_is_refused_at_its_place() {
        use EnvelopeError as Error;
        let event = "{\"type\":\"event\"}\n{}\n";
        for (items, error) in [
            ("[]\n{}".to_owned(), Error::ItemHeaders(1)),
            (format!("{event}{{\"length\":2}}\n{{}}"), Error::ItemHeaders(2)),
            ("{\"type\":\"event\",\"length\":3}\n{}".to_owned(), Error::Length(1)),
            ("{\"type\":\"event\",\"length\":1}\n{}".to_owned(), Error::Length(1)),
            ("{\"type\":\"event\",\"length\":-1}\n{}".to_owned(), Error::Length(1)),
            ("{\"type\":\"event\",\"length\":18446744073709551615}\n".to_owned(), Error::Length(1)),
            ("{\"type\":\"event\"}".to_owned(), Error::Payload(1)),
            ("{\"type\":\"event\"}\n[]".to_owned(), Error::Payload(1)),
            ("{\"type\":\"event\"}\n{\"a\":\u{0}}".to_owned(), Error::Payload(1)),
            (format!("{{\"type\":\"event\"}}\n{}", "[".repeat(100_000)), Error::Payload(1)),
            (event.repeat(101), Error::TooMany),
            (
                format!("{{\"type\":\"event\"}}\n{{\"a\":\"{}\"}}", "a".repeat(EVENT_BYTES_MAX)),
                Error::TooLarge(1),
            ),
        ] {
            let shown: String = items.chars().take(50).collect();
            assert_eq!(parse(&items).err(), Some(error), "{shown}");
        }
        for bytes in [&b""[..], b"\n", b"null", b"\xff\xfe", b"{\"dsn\":1"] {
            assert_eq!(Envelope::parse(bytes).err(), Some(Error::Headers));
        }
    }

    #[test]
    fn headers_that_name_no_project_or_event_are_refused() {
        for headers in ["{}", "{\"dsn\":null}", "{\"dsn\":\"https://example.com\"}"] {
            let envelope = Envelope::parse(headers.as_bytes()).unwrap();
            assert_eq!(envelope.dsn().err(), Some(EnvelopeError::NoDsn));
            assert_eq!(envelope.event_id(), Ok(None));
        }
        for id in ["\"\"", "7", "\"../../../../../../../../../../.\"", "\"å\""] {
            let envelope = Envelope::parse(format!("{{\"event_id\":{id}}}").as_bytes()).unwrap();
            assert_eq!(envelope.event_id(), Err(EnvelopeError::EventId), "{id}");
        }
    }
}
