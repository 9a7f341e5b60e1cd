//! API Gateway's HTTP API: matches routes, turns HTTP into payload 2.0 and answers back into HTTP.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use domain::{Entropy as _, Timestamp};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, COOKIE, DATE, SET_COOKIE};
use hyper::http::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use runtime::OsEntropy;
use serde_json::{Map, Value, json};

use crate::Invoke;
use crate::hosts::Hosts;
use crate::template::{Function, OTHERS, Route};

/// API Gateway's own limit.
const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Lambda's limit for an event and for an answer.
const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;

/// API Gateway waits no longer for a function, either.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// The routes and the functions behind them.
pub(crate) struct Gateway {
    routes: Vec<(Route, String)>,
    functions: Arc<dyn Invoke>,
    hosts: Hosts,
}

impl Gateway {
    pub(crate) fn new(template: &[Function], functions: Arc<dyn Invoke>, hosts: Hosts) -> Self {
        let routes = template.iter().flat_map(|function| {
            function.routes.iter().map(|route| (route.clone(), function.binary.clone()))
        });
        Self { routes: routes.collect(), functions, hosts }
    }

    /// Answers one request, as API Gateway would.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        if !self.hosts.know(&parts.headers) {
            return Ok(message(StatusCode::MISDIRECTED_REQUEST, "Host names another machine"));
        }
        let Some((route, binary, parameters)) = self.route(parts.method.as_str(), path) else {
            return Ok(message(StatusCode::NOT_FOUND, "Not Found"));
        };
        let body = Limited::new(body, BODY_BYTES_MAX).collect();
        let body = match tokio::time::timeout(BODY_WITHIN, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) => {
                return Ok(message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"));
            }
            Err(_) => return Ok(message(StatusCode::REQUEST_TIMEOUT, "Request Timeout")),
        };
        let source = self.hosts.source(peer.ip(), &parts.headers);
        let event = payload(&parts, source, route, parameters, &body);
        if event.to_string().len() > PAYLOAD_BYTES_MAX {
            return Ok(message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"));
        }
        let answer = match self.functions.invoke(binary, event).await {
            Ok(answer) if answer.to_string().len() > PAYLOAD_BYTES_MAX => {
                tracing::error!(function = binary, "an answer is larger than Lambda takes");
                None
            }
            Ok(answer) => response(&answer),
            Err(error) => {
                tracing::error!(function = binary, %error, "a function failed");
                None
            }
        };
        let failed = || message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
        let mut answer = answer.unwrap_or_else(failed);
        if let Some(date) = date(runtime::now()) {
            answer.headers_mut().insert(DATE, date);
        }
        Ok(answer)
    }

    fn route(&self, method: &str, path: &str) -> Option<(&Route, &str, Map<String, Value>)> {
        let fits = self.routes.iter().filter_map(|(route, binary)| {
            let parameters = (route.method == method).then(|| fit(&route.path, path))??;
            Some((route, binary.as_str(), parameters))
        });
        // What names each segment goes before what takes all that are left, and of those the longest.
        let fits = fits.max_by_key(|(route, ..)| (!route.path.ends_with("+}"), route.path.len()));
        let others = || self.routes.iter().find(|(route, _)| route.path == OTHERS);
        fits.or_else(|| others().map(|(route, binary)| (route, binary.as_str(), Map::new())))
    }
}

/// The parameters of `path` if it fits `pattern`, whose `{name}` fits one segment, and whose `{name+}`
/// fits all that are left.
fn fit(pattern: &str, path: &str) -> Option<Map<String, Value>> {
    let mut parameters = Map::new();
    if let Some((before, name)) = pattern.strip_suffix("+}").and_then(|it| it.rsplit_once('{')) {
        let rest = path.strip_prefix(before).filter(|rest| !rest.is_empty())?;
        let value = percent_decode_str(rest).decode_utf8_lossy();
        return Some(Map::from_iter([(name.to_owned(), json!(value))]));
    }
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(parameters),
            (Some(wanted), Some(given)) => {
                let name = wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
                match name {
                    Some(name) if !given.is_empty() => {
                        let value = percent_decode_str(given).decode_utf8_lossy();
                        parameters.insert(name.to_owned(), json!(value));
                    }
                    _ if wanted == given => {}
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
}

fn payload(
    parts: &hyper::http::request::Parts,
    source: IpAddr,
    route: &Route,
    parameters: Map<String, Value>,
    body: &[u8],
) -> Value {
    let now = runtime::now();
    let path = parts.uri.path();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let route_key = match route.path.as_str() {
        OTHERS => OTHERS.to_owned(),
        path => format!("{} {path}", route.method),
    };
    let cookies: Vec<Cow<'_, str>> = parts
        .headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .map(|cookie| String::from_utf8_lossy(cookie.trim_ascii()))
        .collect();
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": parts.uri.query().unwrap_or(""),
        "headers": headers(&parts.headers),
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": header("host").unwrap_or("localhost"),
            "domainPrefix": "local",
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": source.to_string(),
                "userAgent": header("user-agent").unwrap_or(""),
            },
            "requestId": request_id(),
            "routeKey": route_key,
            "stage": "$default",
            "time": time(now),
            "timeEpoch": now.millis(),
        },
        "isBase64Encoded": false,
    });
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !parameters.is_empty() {
        event["pathParameters"] = Value::Object(parameters);
    }
    if !body.is_empty() {
        match std::str::from_utf8(body).ok().filter(|_| is_text(header("content-type"))) {
            Some(text) => event["body"] = json!(text),
            None => {
                event["body"] = json!(BASE64_STANDARD.encode(body));
                event["isBase64Encoded"] = json!(true);
            }
        }
    }
    event
}

/// Headers in lower case, those that occur twice joined by commas; cookies are elsewhere.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut joined = Map::new();
    for name in headers.keys().filter(|name| *name != COOKIE) {
        let values: Vec<_> = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        joined.insert(name.as_str().to_owned(), json!(values.join(",")));
    }
    joined
}

fn is_text(content_type: Option<&str>) -> bool {
    let kind = content_type.unwrap_or("").split(';').next().unwrap_or("").trim();
    kind.starts_with("text/")
        || matches!(kind, "application/json" | "application/javascript" | "application/xml")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}

fn request_id() -> String {
    let mut bytes = [0; 12];
    OsEntropy.fill(&mut bytes);
    BASE64_STANDARD.encode(bytes).replace(['+', '/'], "-")
}

/// As in HTTP: `Mon, 23 Nov 2026 10:00:00 GMT`.
fn date(now: Timestamp) -> Option<HeaderValue> {
    let now = jiff::Timestamp::from_millisecond(now.millis()).ok()?;
    HeaderValue::from_str(&now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

/// As in an access log: `23/Nov/2026:10:00:00 +0000`.
fn time(now: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(now.millis())
        .map(|now| now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string())
        .unwrap_or_default()
}

/// The HTTP answer that a function's answer stands for; `None` if it stands for none.
fn response(answer: &Value) -> Option<Response<Full<Bytes>>> {
    let status = u16::try_from(answer["statusCode"].as_u64()?).ok()?;
    let body = answer["body"].as_str().unwrap_or("");
    let body = match answer["isBase64Encoded"].as_bool() {
        Some(true) => BASE64_STANDARD.decode(body).ok()?,
        _ => body.as_bytes().to_vec(),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let name: HeaderName = name.parse().ok()?;
        response.headers_mut().append(name, HeaderValue::from_str(value.as_str()?).ok()?);
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        let cookie = HeaderValue::from_str(cookie.as_str()?).ok()?;
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Some(response)
}

fn message(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(json!({ "message": text }).to_string().into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fits_its_pattern_segment_by_segment() {
        let pattern = "/v1/records/{record_id}/appendices";
        let fitted = fit(pattern, "/v1/records/a%2Fb/appendices").unwrap();
        assert_eq!(fitted["record_id"], "a/b");
        for path in ["/v1/records//appendices", "/v1/records/a", "/v1/records/a/appendices/", "/"] {
            assert!(fit(pattern, path).is_none(), "{path}");
        }
    }
}
