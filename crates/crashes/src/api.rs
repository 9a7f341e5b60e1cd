//! Sentry's API, as far as issues are asked for and deleted: <https://docs.sentry.io/api/events/>

use std::convert::Infallible;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use crate::sentry::Request;
use crate::{Dsn, KnownProjects, Sentry, Unreachable};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Sentry keeps nothing longer.
const PERIOD: &str = "90d";

/// The token of the integration. It is sent, and never shown.
pub struct Token(String);

impl FromStr for Token {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

/// An issue's number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct IssueId(String);

impl TryFrom<String> for IssueId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = (1..=20).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit());
        if fits { Ok(Self(text)) } else { Err("must be 1 to 20 digits") }
    }
}

impl std::fmt::Display for IssueId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What Sentry has put together of crashes that it takes for one.
#[derive(Clone, Debug, Deserialize)]
pub struct Issue {
    pub id: IssueId,
    status: String,
    project: Project,
    /// By what it is called: `type`, `value`, `filename` and `function` of an error, or `title`.
    #[serde(default)]
    metadata: Value,
}

#[derive(Clone, Debug, Deserialize)]
struct Project {
    id: String,
}

impl Issue {
    pub fn is_resolved(&self) -> bool {
        self.status == "resolved"
    }

    pub fn is_in(&self, projects: &KnownProjects) -> bool {
        projects.is_project(&self.project.id)
    }

    /// The project's number.
    pub fn project(&self) -> &str {
        &self.project.id
    }

    /// Whether an event has the error that the issue is called by: its newest one, from the same place
    /// where one is named; or its message.
    pub(crate) fn is_of(&self, event: &Value) -> bool {
        let said = |name: &str| self.metadata[name].as_str().filter(|it| !it.is_empty());
        let listed = |value: &Value| match value {
            Value::Array(values) => values.clone(),
            other => other["values"].as_array().cloned().unwrap_or_default(),
        };
        let Some(newest) = listed(&event["exception"]).pop() else {
            let logged = &event["logentry"];
            let messages = [&event["message"], &logged["formatted"], &logged["message"]];
            return said("type").is_none()
                && said("title").is_some_and(|title| {
                    let first_line =
                        |text: &Value| text.as_str()?.lines().next().map(str::to_owned);
                    messages.into_iter().filter_map(first_line).any(|it| is_cut(title, &it))
                });
        };
        let told = |name: &str| newest[name].as_str().filter(|it| !it.is_empty());
        let frames = listed(&newest["stacktrace"]["frames"]);
        let has_frame =
            |name: &str| said(name).is_none_or(|of| frames.iter().any(|frame| frame[name] == of));
        let same_value = match (said("value"), told("value")) {
            (None, None) => true,
            (Some(of), Some(value)) => is_cut(of, value),
            _ => false,
        };
        said("type").is_some()
            && said("type") == told("type")
            && same_value
            && has_frame("function")
            && has_frame("filename")
    }
}

/// Whether one text is the other, which Sentry may have cut.
fn is_cut(cut: &str, whole: &str) -> bool {
    match cut.strip_suffix("...") {
        Some(start) => whole.starts_with(start),
        None => whole == cut,
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// The token, its permissions or the organization are wrong.
    #[error("Sentry answered {status} to {method}")]
    Refused { status: u16, method: &'static str },
    #[error("Sentry's answer is not what it should be: {0}")]
    Unreadable(String),
}

/// The API, for one organization.
pub struct Api {
    sentry: Sentry,
    base: String,
    token: Token,
}

impl Api {
    /// The API is where the projects are: `o1.ingest.de.sentry.io` belongs to `de.sentry.io`.
    pub fn new(dsn: &Dsn, organization: &str, token: Token) -> Self {
        let host = dsn.host();
        let host = host.split_once(".ingest.").map_or(host, |(_, rest)| rest);
        let organization = utf8_percent_encode(organization, NON_ALPHANUMERIC);
        let (scheme, port) = (dsn.scheme(), dsn.port());
        let base = format!("{scheme}://{host}:{port}/api/0/organizations/{organization}/issues/");
        Self { sentry: Sentry::default(), base, token }
    }

    /// An issue as it stands; `None`: there is none any more, or none in this organization.
    pub async fn issue(&self, id: &IssueId) -> Result<Option<Issue>, ApiError> {
        let path = format!("{id}/");
        match self.ask("GET", &path).await? {
            (404, _) => Ok(None),
            (200..=299, body) => {
                serde_json::from_slice(&body).map(Some).map_err(|_| ApiError::Unreadable(path))
            }
            (status, _) => Err(ApiError::Refused { status, method: "GET" }),
        }
    }

    /// Issues of these projects that are resolved: a hundred, Sentry's most. What is no issue is
    /// passed over.
    pub async fn resolved(&self, projects: &KnownProjects) -> Result<Vec<Issue>, ApiError> {
        let query = format!("?query=is%3Aresolved&statsPeriod={PERIOD}&limit=100");
        match self.ask("GET", &of_projects(query, projects)).await? {
            (200..=299, body) => {
                let issues: Vec<Value> = serde_json::from_slice(&body)
                    .map_err(|_| ApiError::Unreadable("the list of issues".to_owned()))?;
                let read =
                    issues.into_iter().filter_map(|issue| serde_json::from_value(issue).ok());
                Ok(read.collect())
            }
            (status, _) => Err(ApiError::Refused { status, method: "GET" }),
        }
    }

    /// Has issues of these projects deleted with all of their events: Sentry does it within an hour or
    /// so. Those that are gone already are as good.
    pub async fn delete(
        &self,
        issues: &[&IssueId],
        projects: &KnownProjects,
    ) -> Result<(), ApiError> {
        let ids: Vec<String> = issues.iter().map(|id| format!("id={id}")).collect();
        let path = of_projects(format!("?{}", ids.join("&")), projects);
        match self.ask("DELETE", &path).await? {
            (200..=299, _) => Ok(()),
            (status, _) => Err(ApiError::Refused { status, method: "DELETE" }),
        }
    }

    async fn ask(&self, method: &'static str, path: &str) -> Result<(u16, Vec<u8>), ApiError> {
        let request = Request {
            method,
            url: format!("{}{path}", self.base),
            headers: vec![("authorization", format!("Bearer {}", self.token.0))],
            body: Vec::new(),
        };
        let (status, _, body) = self.sentry.ask(request, TIMEOUT).await?;
        match status {
            429 | 500.. => Err(Unreachable::Status(status).into()),
            _ => Ok((status, body)),
        }
    }
}

fn of_projects(query: String, projects: &KnownProjects) -> String {
    projects.ids().fold(query, |query, id| format!("{query}&project={id}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn issue(metadata: Value) -> Issue {
        let issue =
            json!({"id": "7", "status": "resolved", "project": {"id": "1"}, "metadata": metadata});
        serde_json::from_value(issue).unwrap()
    }

    #[test]
    fn the_api_is_where_the_projects_are() {
        for (dsn, base) in [
            (
                "https://k@o1.ingest.de.sentry.io/7",
                "https://de.sentry.io:443/api/0/organizations/am%2F/issues/",
            ),
            (
                "http://k@127.0.0.1:9000/7",
                "http://127.0.0.1:9000/api/0/organizations/am%2F/issues/",
            ),
        ] {
            let api = Api::new(&dsn.parse().unwrap(), "am/", "t".parse().unwrap());
            assert_eq!(api.base, base);
        }
    }

    #[test]
    fn an_issue_is_of_what_it_is_called_by() {
        let frames =
            json!({"frames": [{"function": "main"}, {"function": "open", "filename": "a.js"}]});
        let error = json!({"exception": {"values": [
            {"type": "A", "value": "b"},
            {"type": "TypeError", "value": "x is y", "stacktrace": frames},
        ]}});
        let bare = json!({"exception": [{"type": "TypeError"}]});
        let message = json!({"logentry": {"formatted": "too hot\nby far"}});
        for (metadata, of_error, of_bare, of_message) in [
            (
                json!({"type": "TypeError", "value": "x is y", "function": "open"}),
                true,
                false,
                false,
            ),
            (
                json!({"type": "TypeError", "value": "x is y", "filename": "a.js"}),
                true,
                false,
                false,
            ),
            (
                json!({"type": "TypeError", "value": "x is y", "function": "close"}),
                false,
                false,
                false,
            ),
            (json!({"type": "TypeError", "value": "x..."}), true, false, false),
            (json!({"type": "TypeError", "value": "x"}), false, false, false),
            (json!({"type": "TypeError", "value": ""}), false, true, false),
            (json!({"type": "TypeError", "value": 7}), false, true, false),
            (json!({"type": "A", "value": "b"}), false, false, false),
            (json!({"type": "TypeError", "value": "is y"}), false, false, false),
            (json!({"title": "too hot"}), false, false, true),
            (json!({"title": "too"}), false, false, false),
            (json!({}), false, false, false),
        ] {
            let issue = issue(metadata.clone());
            let of = [&error, &bare, &message].map(|event| issue.is_of(event));
            assert_eq!(of, [of_error, of_bare, of_message], "{metadata}");
        }
    }

    #[test]
    fn an_issue_has_a_number() {
        for id in ["", "1/../2", "x", "-1", "123456789012345678901"] {
            assert!(IssueId::try_from(id.to_owned()).is_err(), "{id}");
        }
    }
}
