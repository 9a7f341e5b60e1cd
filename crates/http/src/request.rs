//! Reading a request, once and strictly.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::{CustomerId, Digest, MergePatch, Timestamp, UserId, json_pointer};
use lambda_http::http::header::CONTENT_TYPE;
use lambda_http::http::{HeaderMap, Method};
use lambda_http::request::RequestContext;
use lambda_http::{Body, RequestExt as _};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use store::PAGE_ITEMS_MAX;

use crate::{Code, Problem};

/// Four times the largest record; files do not come this way.
pub const REQUEST_BODY_BYTES_MAX: usize = 256 * 1024;
/// Enough for a phone's screen and a bit.
pub(crate) const PAGE_ITEMS_DEFAULT: u16 = 25;

/// One request as API Gateway's payload 2.0 brings it.
pub struct Request {
    inner: lambda_http::Request,
    who: OnceLock<Who>,
}

/// Who asks, for the log: ids, and of who has no session yet, keyed hashes that say nothing by themselves.
#[derive(Clone, Debug)]
pub enum Who {
    User { customer: CustomerId, user: UserId },
    Stranger { account: String, source: String },
}

impl From<lambda_http::Request> for Request {
    fn from(inner: lambda_http::Request) -> Self {
        Self { inner, who: OnceLock::new() }
    }
}

impl Request {
    /// Has the log say who asks. Said once, it stays.
    pub fn note(&self, who: Who) {
        let _ = self.who.set(who);
    }

    pub(crate) fn who(&self) -> Option<&Who> {
        self.who.get()
    }

    /// The path as it came, with the ids in it.
    pub fn raw_path(&self) -> &str {
        self.inner.raw_http_path()
    }

    pub fn method(&self) -> &Method {
        self.inner.method()
    }

    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// A header that may be given once and as visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok().map(str::trim)
    }

    /// When API Gateway received the request: the time that all of its effects carry.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.api_context().map_or(0, |context| context.time_epoch))
    }

    /// The id that the client is told and the log has.
    pub fn id(&self) -> &str {
        self.api_context().and_then(|context| context.request_id.as_deref()).unwrap_or("unknown")
    }

    /// The route as the template spells it, free of ids: `GET /v1/records/{record_id}`.
    pub fn route(&self) -> &str {
        self.api_context().and_then(|context| context.route_key.as_deref()).unwrap_or("unknown")
    }

    /// The network that the request came from, as API Gateway saw it: an IPv4 address, or the /64
    /// of an IPv6 one, of which anybody has as many as they like.
    pub fn source(&self) -> String {
        let source = self.api_context().and_then(|context| context.http.source_ip.as_deref());
        match source.and_then(|text| text.parse().ok()) {
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
            }
            None => "unknown".to_owned(),
        }
    }

    /// The name of the service that the request came by, as API Gateway knows it: no client can make one up.
    pub fn domain_name(&self) -> Option<&str> {
        self.api_context()?.domain_name.as_deref()
    }

    /// Where the client believes the service is.
    pub(crate) fn host(&self) -> Option<&str> {
        self.header("host")
    }

    pub(crate) fn api_context(
        &self,
    ) -> Option<&lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequestContext> {
        match self.inner.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => Some(context),
            _ => None,
        }
    }

    /// A part of the path. What is no id is unknown, like an id that nobody has.
    pub fn path<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        self.inner
            .path_parameters_ref()
            .and_then(|parameters| parameters.first(name))
            .and_then(|text| text.parse().ok())
            .ok_or_else(Problem::not_found)
    }

    /// A query parameter, if it is given.
    pub fn query<T>(&self, name: &str) -> Result<Option<T>, Problem>
    where
        T: FromStr,
        T::Err: ToString,
    {
        let parameters = self.inner.query_string_parameters_ref();
        let Some(all) = parameters.and_then(|parameters| parameters.all(name)) else {
            return Ok(None);
        };
        let [text] = all.as_slice() else {
            return Err(Problem::invalid(format!("?{name}"), "must be given once"));
        };
        text.parse()
            .map(Some)
            .map_err(|rule: T::Err| Problem::invalid(format!("?{name}"), rule.to_string()))
    }

    /// `?limit=`: how many items a page may have.
    pub fn page_limit(&self) -> Result<u16, Problem> {
        struct Limit(u16);
        impl FromStr for Limit {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let limit = text.parse().unwrap_or(0);
                if (1..=PAGE_ITEMS_MAX).contains(&limit) {
                    return Ok(Self(limit));
                }
                Err(format!("must be a number from 1 to {PAGE_ITEMS_MAX}"))
            }
        }
        Ok(self.query("limit")?.map_or(PAGE_ITEMS_DEFAULT, |Limit(limit)| limit))
    }

    /// `?cursor=`: where an earlier page ended.
    pub fn cursor<T: FromStr>(&self) -> Result<Option<T>, Problem> {
        Ok(self.query::<Cursor<T>>("cursor")?.map(|Cursor(position)| position))
    }

    /// The body as JSON. The error names the field, by JSON pointer, and the rule it breaks.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        parse(self.body(&["application/json"])?)
    }

    /// A JSON object that says what is to change of another one (RFC 7396).
    pub fn merge_patch(&self) -> Result<MergePatch, Problem> {
        parse(self.body(&["application/merge-patch+json", "application/json"])?)
    }

    /// The body, if it is said to be of one of these types.
    fn body(&self, media_types: &[&str]) -> Result<&[u8], Problem> {
        let content_type = self.header(CONTENT_TYPE.as_str()).unwrap_or("");
        let media_type = content_type.split(';').next().unwrap_or("").trim();
        if !media_types.iter().any(|it| media_type.eq_ignore_ascii_case(it)) {
            let detail = "The body must be sent with Content-Type: application/json.";
            return Err(Problem::new(Code::NOT_JSON, detail));
        }
        let body = self.raw_body();
        if body.len() > REQUEST_BODY_BYTES_MAX {
            let detail = format!("The body must have at most {REQUEST_BODY_BYTES_MAX} bytes.");
            return Err(Problem::new(Code::BODY_TOO_LARGE, detail));
        }
        Ok(body)
    }

    /// The body as it came, of any type: at most what Lambda takes, 6 MB, or 4.5 MB where it is no text.
    pub fn raw_body(&self) -> &[u8] {
        match self.inner.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        }
    }

    /// Tells this request from another one: its method, path and body.
    pub(crate) fn fingerprint(&self) -> String {
        let path = self.raw_path().as_bytes();
        Digest::of(&[self.method().as_str().as_bytes(), path, self.raw_body()]).to_string()
    }
}

/// The position at which a page ended, opaque to clients: base64 of what the server needs.
pub struct Cursor<T>(pub T);

impl<T: ToString> std::fmt::Display for Cursor<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0.to_string()))
    }
}

impl<T: FromStr> FromStr for Cursor<T> {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|position| position.parse().ok())
            .map(Self)
            .ok_or("must be the next_cursor of an earlier page")
    }
}

/// JSON as a `T`. The error names the field, by JSON pointer, and the rule it breaks.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // A list would be taken for the members of an object, in their order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::invalid(String::new(), "must be an object"));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer = pointer(error.path());
        not_json(error.inner()).unwrap_or_else(|| bad_member(pointer, error.inner()))
    })?;
    json.end().map_err(|error| not_json(&error).unwrap_or_else(|| Problem::internal(error)))?;
    Ok(value)
}

/// RFC 6901, from the path that the deserializer took.
fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => {
            format!("{pointer}/{}", json_pointer::escape(key))
        }
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}

/// The problem of a body that is no JSON at all; `None` for one that is, but does not fit.
fn not_json(error: &serde_json::Error) -> Option<Problem> {
    if error.is_data() {
        return None;
    }
    let detail = format!("The body is not JSON: {error}.");
    Some(Problem::new(Code::MALFORMED_JSON, detail))
}

/// The problem of a member that breaks a rule, or that is missing from the object at `pointer`.
fn bad_member(pointer: String, error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let rule = text.rfind(" at line ").map_or(text.as_str(), |end| &text[..end]);
    let missing = rule.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    match missing {
        Some(name) => Problem::invalid(format!("{pointer}/{name}"), "is missing"),
        None => Problem::invalid(pointer, rule.to_owned()),
    }
}
