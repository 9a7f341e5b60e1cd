//! A server in Sentry's place, on loopback: it takes envelopes, and has issues that can be asked for and
//! deleted, by the paths and the answers of Sentry's documentation.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How envelopes are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Manner {
    #[default]
    Takes,
    /// With 429 and for how long, in seconds.
    TooMany(u64),
    /// Never.
    Silent,
    /// With this status.
    Answers(u16),
    /// As if all were well, but at this path.
    TakesBut(&'static str),
}

/// One envelope, as it came.
#[derive(Clone, Debug)]
pub struct Collected {
    pub path: String,
    pub authentication: String,
    pub envelope: String,
    /// How many issues there were when it came.
    pub issues: usize,
}

impl Collected {
    pub fn headers(&self) -> Value {
        serde_json::from_str(self.envelope.lines().next().unwrap()).unwrap()
    }

    /// The items, by kind.
    pub fn items(&self) -> Vec<(String, Value)> {
        let lines: Vec<&str> = self.envelope.lines().skip(1).collect();
        let pairs = lines.chunks(2).filter(|pair| pair.len() == 2);
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        pairs
            .map(|pair| (read(pair[0])["type"].as_str().unwrap().to_owned(), read(pair[1])))
            .collect()
    }

    /// The only event in it.
    pub fn event(&self) -> Value {
        let events = self.items().into_iter().filter(|(kind, _)| kind == "event");
        let [(_, event)] = <[_; 1]>::try_from(events.collect::<Vec<_>>()).expect("one event");
        event
    }
}

#[derive(Default)]
pub struct State {
    pub manner: Manner,
    pub envelopes: Vec<Collected>,
    /// Issues by their number.
    pub issues: BTreeMap<String, Value>,
    /// What the API is to be asked with; empty: the API is down.
    pub token: String,
    pub organization: String,
    /// Whether the token has that permission.
    pub may_delete: bool,
    /// What it was asked.
    pub asked: Vec<String>,
}

/// Stops with the executor.
#[derive(Clone)]
pub struct Collector {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Collector {
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let collector = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        collector.state().may_delete = true;
        let this = collector.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let this = this.clone();
                let serve = service_fn(move |request| this.clone().answer(request));
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), serve));
            }
        });
        collector
    }

    pub fn dsn(&self) -> String {
        format!("http://public@{}/42", self.address)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The only envelope until now.
    pub fn only(&self) -> Collected {
        let envelopes = self.state().envelopes.clone();
        let [envelope] = envelopes.as_slice() else { panic!("one envelope: {envelopes:?}") };
        envelope.clone()
    }

    /// An issue in a project, called by an error.
    pub fn add_issue(&self, id: &str, status: &str, project: &str, error: (&str, &str)) {
        let (kind, value) = error;
        let issue = json!({
            "id": id, "status": status, "project": { "id": project, "slug": "app" },
            "title": format!("{kind}: {value}"), "metadata": { "type": kind, "value": value },
        });
        self.state().issues.insert(id.to_owned(), issue);
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let header = |name: &str| {
            let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let path = parts.uri.path();
        if let Some(of_api) = path.strip_prefix("/api/0/organizations/") {
            let query = parts.uri.query().unwrap_or_default();
            return Ok(self.ask(&parts.method, of_api, query, &header("authorization")));
        }
        let body = body.collect().await.unwrap().to_bytes();
        let collected = Collected {
            path: path.to_owned(),
            authentication: header("x-sentry-auth"),
            envelope: String::from_utf8(body.to_vec()).unwrap(),
            issues: self.state().issues.len(),
        };
        let manner = self.state().manner;
        self.state().envelopes.push(collected);
        let answer = Response::builder();
        let answer = match manner {
            Manner::Takes => answer.header("x-sentry-rate-limits", "60:transaction:key"),
            Manner::TooMany(seconds) => answer
                .status(429)
                .header("retry-after", seconds)
                .header("x-sentry-rate-limits", "60:error:key"),
            Manner::Silent => std::future::pending().await,
            Manner::Answers(status) => answer.status(status),
            Manner::TakesBut(failing) if failing == parts.uri.path() => answer.status(502),
            Manner::TakesBut(_) => answer,
        };
        Ok(answer.body(Full::default()).unwrap())
    }

    fn ask(&self, method: &Method, path: &str, query: &str, token: &str) -> Response<Full<Bytes>> {
        let mut state = self.state();
        state.asked.push(format!("{method} {path}"));
        let answer = |status: StatusCode, body: Value| {
            let body = Full::from(body.to_string());
            Response::builder().status(status).body(body).unwrap()
        };
        if state.token.is_empty() {
            return answer(StatusCode::BAD_GATEWAY, json!(null));
        }
        if token != format!("Bearer {}", state.token) {
            return answer(StatusCode::UNAUTHORIZED, json!({"detail": "Invalid token"}));
        }
        let (organization, id) = path.split_once("/issues/").unwrap();
        let id = id.trim_end_matches('/');
        if organization != state.organization {
            return answer(StatusCode::NOT_FOUND, json!({"detail": "Not found"}));
        }
        let asked = |member: &str, value: &str| {
            query.split('&').any(|it| it == format!("{member}={value}"))
        };
        let of_project = |issue: &Value| asked("project", issue["project"]["id"].as_str().unwrap());
        match (method, id) {
            (&Method::GET, "") => {
                let resolved = |issue: &&Value| {
                    of_project(issue)
                        && asked("query", "is%3Aresolved")
                        && issue["status"] == "resolved"
                };
                let found: Vec<&Value> = state.issues.values().filter(resolved).collect();
                answer(StatusCode::OK, json!(found))
            }
            (&Method::DELETE, "") if !state.may_delete => {
                answer(StatusCode::FORBIDDEN, json!({"detail": "You do not have permission"}))
            }
            (&Method::DELETE, "") => {
                state.issues.retain(|id, issue| !(asked("id", id) && of_project(issue)));
                answer(StatusCode::NO_CONTENT, json!(null))
            }
            (&Method::GET, id) => match state.issues.get(id) {
                Some(issue) => answer(StatusCode::OK, issue.clone()),
                None => answer(StatusCode::NOT_FOUND, json!({"detail": "Not found"})),
            },
            _ => answer(StatusCode::METHOD_NOT_ALLOWED, json!(null)),
        }
    }
}
