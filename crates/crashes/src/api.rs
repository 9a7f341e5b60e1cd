//! Sentry's API, as far as issues are asked for and deleted: <https://docs.sentry.io/api/events/>

use std::convert::Infallible;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
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
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Clone, Debug, Deserialize)]
struct Project {
    id: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Metadata {
    #[serde(rename = "type")]
    kind: Option<String>,
    value: Option<String>,
    title: Option<String>,
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

    /// Whether an event has the error that the issue is called by: its newest, or its message.
    pub(crate) fn is_of(&self, event: &Value) -> bool {
        let exceptions = &event["exception"];
        let exceptions = exceptions.as_array().or_else(|| exceptions["values"].as_array());
        let Metadata { kind, value, title } = &self.metadata;
        let told = |of: &Option<String>, text: &Value| {
            // Sentry cuts what is long.
            let of = of.as_deref().unwrap_or("").trim_end_matches("...");
            !of.is_empty() && text.as_str().is_some_and(|text| text.starts_with(of))
        };
        match exceptions.and_then(|all| all.last()) {
            Some(newest) => {
                let same = value.as_deref().unwrap_or("").is_empty()
                    && newest["value"].as_str().unwrap_or("").is_empty();
                kind.as_deref() == newest["type"].as_str()
                    && (same || told(value, &newest["value"]))
            }
            None => {
                let logged = &event["logentry"];
                let message = [&event["message"], &logged["formatted"], &logged["message"]];
                kind.is_none() && message.into_iter().any(|message| told(title, message))
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    #[error("Sentry answered {status} to {method} {path}")]
    Refused { status: u16, method: &'static str, path: String },
    #[error("Sentry's answer to {0} is no issue")]
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

    /// An issue as it stands; `None`: there is none any more.
    pub async fn issue(&self, id: &IssueId) -> Result<Option<Issue>, ApiError> {
        self.ask("GET", &format!("{id}/")).await
    }

    /// Issues of these projects that are resolved: a hundred, Sentry's most.
    pub async fn resolved(&self, projects: &KnownProjects) -> Result<Vec<Issue>, ApiError> {
        let mut query = format!("?query=is%3Aresolved&statsPeriod={PERIOD}&limit=100");
        for id in projects.ids() {
            query = format!("{query}&project={id}");
        }
        Ok(self.ask("GET", &query).await?.unwrap_or_default())
    }

    /// Deletes an issue with all of its events. One that is gone already is as good.
    pub async fn delete(&self, id: &IssueId) -> Result<(), ApiError> {
        self.ask::<serde::de::IgnoredAny>("DELETE", &format!("{id}/")).await?;
        Ok(())
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: &'static str,
        path: &str,
    ) -> Result<Option<T>, ApiError> {
        let request = Request {
            method,
            url: format!("{}{path}", self.base),
            headers: vec![("authorization", format!("Bearer {}", self.token.0))],
            body: Vec::new(),
        };
        let (status, _, body) = self.sentry.ask(request, TIMEOUT).await?;
        match status {
            404 => Ok(None),
            200..=299 if method == "DELETE" => Ok(None),
            200..=299 => {
                let read = serde_json::from_slice(&body).map(Some);
                read.map_err(|_| ApiError::Unreadable(path.to_owned()))
            }
            _ => Err(ApiError::Refused { status, method, path: path.to_owned() }),
        }
    }
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
        let error = json!({"exception": {"values": [{"type": "A", "value": "b"}, {"type": "TypeError", "value": "x is y"}]}});
        let bare = json!({"exception": [{"type": "TypeError"}]});
        let message = json!({"logentry": {"formatted": "too hot"}});
        for (metadata, of_error, of_bare, of_message) in [
            (
                json!({"type": "TypeError", "value": "x is y", "title": "TypeError: x is y"}),
                true,
                false,
                false,
            ),
            (json!({"type": "TypeError", "value": "x..."}), true, false, false),
            (json!({"type": "TypeError", "value": ""}), false, true, false),
            (json!({"type": "TypeError"}), false, true, false),
            (json!({"type": "A", "value": "b"}), false, false, false),
            (json!({"type": "TypeError", "value": "is y"}), false, false, false),
            (json!({"title": "too hot"}), false, false, true),
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
