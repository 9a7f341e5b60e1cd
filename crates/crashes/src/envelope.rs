//! Sentry's envelopes: a line of headers, then items of a line of headers and a payload each.
//! <https://develop.sentry.dev/sdk/foundations/transport/envelopes/>

use domain::Digest;
use serde_json::{Map, Value, json};

use crate::{Dsn, Issue, KnownProjects, kinds};

/// Sentry's own limit for one event. What is sent on of an envelope has at most as much together.
const KEPT_BYTES_MAX: usize = 1024 * 1024;
/// Sentry's own limit is the same for sessions, and lower for what is not sent on.
const ITEMS_MAX: usize = 100;
/// Far more than any SDK sends.
const HEADERS_BYTES_MAX: usize = 16 * 1024;
const KIND_BYTES_MAX: usize = 64;

/// Why something is no envelope that is sent on: what rule it breaks, at which of its items.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    #[error("the first line must be a JSON object of at most {HEADERS_BYTES_MAX} bytes")]
    Headers,
    #[error("the headers must have a \"dsn\", as the SDKs send it with the option \"tunnel\"")]
    NoDsn,
    #[error("the DSN must be one that crashes may be sent to from here")]
    UnknownDsn,
    #[error("\"event_id\" must be 32 hexadecimal digits")]
    EventId,
    #[error(
        "item {0}: its headers must be a line of at most {HEADERS_BYTES_MAX} bytes with a JSON \
         object that has a \"type\" of at most {KIND_BYTES_MAX}"
    )]
    ItemHeaders(usize),
    #[error("item {0}: its payload must have the \"length\" that its headers say")]
    Length(usize),
    #[error("item {0}: its payload must be a JSON object")]
    Payload(usize),
    #[error("item {0}: with it, there must be at most {KEPT_BYTES_MAX} bytes of what is sent on")]
    TooLarge(usize),
    #[error("there must be at most {ITEMS_MAX} items")]
    TooMany,
}

/// Who an envelope says it is for.
#[derive(Clone, Copy, Debug)]
pub enum Address<'a> {
    /// Its own headers do, by the very DSN: SDKs with the option `tunnel`.
    InHeaders,
    /// The request does, as if we were Sentry: by the number of a project and one of its keys.
    Project(&'a str, &'a str),
}

/// An envelope for a project of ours, without whatever may be somebody's personal data: only what is
/// listed is in it, and its texts are scrubbed. There is no other way to make one.
#[derive(Clone, Debug)]
pub struct Envelope {
    dsn: Dsn,
    event_id: Option<String>,
    headers: Map<String, Value>,
    /// Kind and payload.
    items: Vec<(String, String)>,
    left_out: Vec<String>,
}

impl Envelope {
    /// Reads all of `bytes`, an item at a time: JSON takes a hundred times the memory when it is made
    /// to. The items' places in errors count from 1.
    pub fn read(
        bytes: &[u8],
        address: Address<'_>,
        known: &KnownProjects,
    ) -> Result<Self, EnvelopeError> {
        let (headers, mut rest) = line(bytes);
        let headers = short_object(headers).ok_or(EnvelopeError::Headers)?;
        let dsn = match address {
            Address::InHeaders => {
                let dsn = headers.get("dsn").and_then(Value::as_str);
                let dsn = dsn.and_then(|dsn| dsn.parse().ok()).ok_or(EnvelopeError::NoDsn)?;
                known.find(&dsn)
            }
            Address::Project(project, key) => known.find_by_key(project, key),
        };
        let dsn = dsn.ok_or(EnvelopeError::UnknownDsn)?.clone();
        let event_id = event_id(&headers)?;
        let Value::Object(mut headers) = kinds::HEADERS.apply(Value::Object(headers)) else {
            return Err(EnvelopeError::Headers);
        };
        // Without a secret, the type leaves its separator.
        headers.insert("dsn".to_owned(), dsn.to_string().replacen(":@", "@", 1).into());
        let mut this = Self { dsn, event_id, headers, items: Vec::new(), left_out: Vec::new() };
        let (mut place, mut kept_bytes) = (0, 0);
        while !rest.iter().all(u8::is_ascii_whitespace) {
            place += 1;
            if place > ITEMS_MAX {
                return Err(EnvelopeError::TooMany);
            }
            let item;
            (item, rest) = Item::split(place, rest)?;
            let Some(keep) = kinds::of(&item.kind) else {
                this.left_out.push(item.kind);
                continue;
            };
            kept_bytes += item.payload.len();
            if kept_bytes > KEPT_BYTES_MAX {
                return Err(EnvelopeError::TooLarge(place));
            }
            let payload = object(item.payload).ok_or(EnvelopeError::Payload(place))?;
            let kept = kinds::finish(&item.kind, keep.apply(Value::Object(payload)));
            this.items.push((item.kind, kept.to_string()));
        }
        this.left_out.sort();
        this.left_out.dedup();
        Ok(this)
    }

    /// The project that it is for: one of ours.
    pub fn dsn(&self) -> &Dsn {
        &self.dsn
    }

    /// The id of the event in it, in lower case and without hyphens; `None` where there is no event.
    pub fn event_id(&self) -> Option<&str> {
        self.event_id.as_deref()
    }

    /// The kinds of items that were left out as a whole.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What another one has only if it is this one, sent again: `project/id`, where the id is the event's,
    /// or a digest where there is a session. `None`: of sessions that are counted together, two devices
    /// may send the same.
    pub fn identity(&self) -> Option<String> {
        let has_session = self.items.iter().any(|(kind, _)| kind == "session");
        let digest = || Digest::of(&[self.items_to_text().as_bytes()]).to_string();
        let id = self.event_id.clone().or_else(|| has_session.then(digest))?;
        Some(format!("{}/{id}", self.dsn.project_id()))
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let headers = Value::Object(self.headers.clone());
        format!("{headers}\n{}", self.items_to_text()).into_bytes()
    }

    /// Without the headers, which differ when an SDK sends it again.
    fn items_to_text(&self) -> String {
        let mut text = String::new();
        for (kind, payload) in &self.items {
            let headers = json!({ "type": kind, "length": payload.len() });
            text.push_str(&format!("{headers}\n{payload}\n"));
        }
        text
    }

    /// Whether it tells of the same as an issue does. Sentry would put both together, unless it groups
    /// by something else.
    pub fn tells_of(&self, issue: &Issue) -> bool {
        issue.project() == self.dsn.project_id().value()
            && self.items.iter().filter(|(kind, _)| kind == "event").any(|(_, event)| {
                serde_json::from_str(event).is_ok_and(|event: Value| issue.is_of(&event))
            })
    }
}

struct Item<'a> {
    kind: String,
    payload: &'a [u8],
}

impl<'a> Item<'a> {
    fn split(place: usize, bytes: &'a [u8]) -> Result<(Self, &'a [u8]), EnvelopeError> {
        let (headers, rest) = line(bytes);
        let headers = short_object(headers).ok_or(EnvelopeError::ItemHeaders(place))?;
        let kind = headers.get("type").and_then(Value::as_str);
        let kind = kind.filter(|kind| kind.len() <= KIND_BYTES_MAX);
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
        Ok((Self { kind, payload }, rest))
    }
}

fn event_id(headers: &Map<String, Value>) -> Result<Option<String>, EnvelopeError> {
    let id = match headers.get("event_id") {
        None | Some(Value::Null) => return Ok(None),
        Some(id) => id.as_str().ok_or(EnvelopeError::EventId)?,
    };
    let id = id.replace('-', "").to_ascii_lowercase();
    let fits = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if fits { Ok(Some(id)) } else { Err(EnvelopeError::EventId) }
}

/// Up to the next line feed, and what is behind it.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}

fn short_object(bytes: &[u8]) -> Option<Map<String, Value>> {
    if bytes.len() > HEADERS_BYTES_MAX {
        return None;
    }
    object(bytes)
}

fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: &str = r#"{"event_id":"9EC79C33-ec99-42ab-8353-589fcb2e04dc","dsn":"https://key@o1.ingest.de.sentry.io/7"}"#;

    fn known() -> KnownProjects {
        "https://key@o1.ingest.de.sentry.io/7".parse().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Envelope, EnvelopeError> {
        Envelope::read(bytes, Address::InHeaders, &known())
    }

    fn with_headers(items: &str) -> Result<Envelope, EnvelopeError> {
        read(format!("{HEADERS}\n{items}").as_bytes())
    }

    #[test]
    fn items_are_read_with_and_without_a_length_and_the_last_line_feed() {
        for items in [
            "{\"type\":\"session\"}\n{\"status\":\"ok\"}",
            "{\"type\":\"session\",\"length\":15}\n{\"status\":\"ok\"}\n\n\n",
            "{\"type\":\"attachment\",\"length\":3}\n\n\n\n\n{\"type\":\"session\"}\n{\"status\":\"ok\"}\n",
        ] {
            let envelope = with_headers(items).unwrap();
            let sent = String::from_utf8(envelope.to_bytes()).unwrap();
            let (_, sent) = sent.split_once('\n').unwrap();
            assert_eq!(
                sent, "{\"length\":15,\"type\":\"session\"}\n{\"status\":\"ok\"}\n",
                "{items}"
            );
        }
    }

    #[test]
    fn what_is_sent_is_an_envelope_again_and_the_same() {
        let event = "{\"type\":\"event\"}\n{\"message\":\"å\\n{} of a@b.se in /home/eva/x\"}";
        let envelope = with_headers(event).unwrap();
        let again = read(&envelope.to_bytes()).unwrap();
        assert_eq!(again.to_bytes(), envelope.to_bytes());
        assert_eq!(again.event_id(), Some("9ec79c33ec9942ab8353589fcb2e04dc"));
        assert_eq!(again.dsn().project_id().value(), "7");
    }

    #[test]
    fn what_is_no_envelope_is_refused_at_its_place() {
        use EnvelopeError as Error;
        let event = "{\"type\":\"event\"}\n{}\n";
        let half =
            format!("{{\"type\":\"event\"}}\n{{\"a\":\"{}\"}}\n", "a".repeat(KEPT_BYTES_MAX / 2));
        for (items, error) in [
            ("[]\n{}".to_owned(), Error::ItemHeaders(1)),
            (format!("{event}{{\"length\":2}}\n{{}}"), Error::ItemHeaders(2)),
            (format!("{{\"type\":\"{}\"}}\n", "a".repeat(65)), Error::ItemHeaders(1)),
            ("{\"type\":\"event\",\"length\":3}\n{}".to_owned(), Error::Length(1)),
            ("{\"type\":\"event\",\"length\":1}\n{}".to_owned(), Error::Length(1)),
            ("{\"type\":\"event\",\"length\":-1}\n{}".to_owned(), Error::Length(1)),
            ("{\"type\":\"event\",\"length\":18446744073709551615}\n".to_owned(), Error::Length(1)),
            ("{\"type\":\"event\"}".to_owned(), Error::Payload(1)),
            ("{\"type\":\"event\"}\n[]".to_owned(), Error::Payload(1)),
            ("{\"type\":\"event\"}\n{\"a\":\u{0}}".to_owned(), Error::Payload(1)),
            (format!("{{\"type\":\"event\"}}\n{}", "[".repeat(100_000)), Error::Payload(1)),
            (event.repeat(101), Error::TooMany),
            (half.repeat(2), Error::TooLarge(2)),
        ] {
            let shown: String = items.chars().take(50).collect();
            assert_eq!(with_headers(&items).err(), Some(error), "{shown}");
        }
        for bytes in [&b""[..], b"\n", b"null", b"\xff\xfe", b"{\"dsn\":1"] {
            assert_eq!(read(bytes).err(), Some(Error::Headers));
        }
    }

    #[test]
    fn what_would_take_memory_a_hundred_times_its_size_is_not_parsed() {
        let swollen = format!("{{\"a\":[{}0]}}", "{\"\":0},".repeat(1024 * 1024));
        assert_eq!(read(swollen.as_bytes()).err(), Some(EnvelopeError::Headers));
        let item = with_headers(&format!("{swollen}\n{{}}")).err();
        assert_eq!(item, Some(EnvelopeError::ItemHeaders(1)));
        let event = with_headers(&format!("{{\"type\":\"event\"}}\n{swollen}")).err();
        assert_eq!(event, Some(EnvelopeError::TooLarge(1)));
        let left_out = with_headers(&format!("{{\"type\":\"replay_event\"}}\n{swollen}")).unwrap();
        assert!(left_out.is_empty());
    }

    #[test]
    fn headers_that_name_no_project_of_ours_or_no_event_are_refused() {
        use EnvelopeError as Error;
        for (headers, error) in [
            ("{}", Error::NoDsn),
            ("{\"dsn\":null}", Error::NoDsn),
            ("{\"dsn\":\"https://example.com\"}", Error::NoDsn),
            ("{\"dsn\":\"https://key@o1.ingest.de.sentry.io/8\"}", Error::UnknownDsn),
        ] {
            assert_eq!(read(headers.as_bytes()).err(), Some(error), "{headers}");
        }
        for id in ["\"\"", "7", "\"../../../../../../../../../../.\"", "\"å\""] {
            let headers = HEADERS.replace("\"9EC79C33-ec99-42ab-8353-589fcb2e04dc\"", id);
            assert_eq!(read(headers.as_bytes()).err(), Some(Error::EventId), "{id}");
        }
    }

    #[test]
    fn a_request_may_name_the_project_as_if_we_were_sentry() {
        let own = b"{\"dsn\":\"https://key@api.example.com/v1/crashes/7\"}\n";
        for (project, key, fits) in [("7", "key", true), ("8", "key", false), ("7", "", false)] {
            let envelope = Envelope::read(own, Address::Project(project, key), &known());
            assert_eq!(envelope.is_ok(), fits, "{project} {key}");
            if let Ok(envelope) = envelope {
                assert_eq!(envelope.dsn().host(), "o1.ingest.de.sentry.io");
            }
        }
    }
}
