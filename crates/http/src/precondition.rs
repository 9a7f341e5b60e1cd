//! ETag, If-Match and If-None-Match (RFC 9110, section 13). An entity tag is the version.

use domain::{Revision, Timestamp, UserId, Version};
use store::{Missing, WriteError};

use crate::{Code, Problem, Request, Response};

/// The strong entity tag of a version.
pub fn etag(version: Version) -> String {
    format!("\"{version}\"")
}

/// The versions that the client is willing to replace.
#[derive(Debug)]
pub struct IfMatch(Vec<Version>);

impl IfMatch {
    /// Whether the thing may be replaced while it is at `version`.
    pub fn admits(&self, version: Version) -> bool {
        self.0.contains(&version)
    }

    /// The tombstone that a delete writes.
    pub fn tombstone<T: Clone>(
        &self,
        current: &Revision<T>,
        user: UserId,
        now: Timestamp,
    ) -> Result<Revision<T>, Problem> {
        if current.deleted {
            return Err(Problem::not_found());
        }
        if !self.admits(current.version) {
            return Err(Problem::stale(current.version));
        }
        Ok(current.tombstone(user, now))
    }
}

/// Why a change was not made.
pub enum ChangeRefusal {
    Problem(Problem),
    Write(WriteError),
}

impl From<Problem> for ChangeRefusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Missing> for ChangeRefusal {
    fn from(missing: Missing) -> Self {
        Self::Problem(missing.into())
    }
}

impl From<WriteError> for ChangeRefusal {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl From<ChangeRefusal> for Problem {
    fn from(refusal: ChangeRefusal) -> Self {
        match refusal {
            ChangeRefusal::Problem(problem) => problem,
            ChangeRefusal::Write(error) => error.into(),
        }
    }
}

/// Makes a change. Where somebody was faster it is looked at once more: perhaps that was this very
/// request, by its Idempotency-Key, sent before and given up.
pub async fn change<F>(attempt: impl Fn() -> F) -> Result<Response, Problem>
where
    F: Future<Output = Result<Response, ChangeRefusal>>,
{
    match attempt().await {
        Err(ChangeRefusal::Write(WriteError::Stale { .. } | WriteError::Repeated(_))) => {
            Ok(attempt().await?)
        }
        made => Ok(made?),
    }
}

impl Request {
    /// If-Match, which every change must carry. `*` would match anything, which is what the header
    /// is there to prevent.
    pub fn if_match(&self) -> Result<IfMatch, Problem> {
        let tags = self.header("if-match").unwrap_or("");
        if tags.is_empty() || tags == "*" {
            let detail = "Send If-Match with the ETag of the version you saw.";
            return Err(Problem::new(Code::IF_MATCH_REQUIRED, detail));
        }
        // A weak or foreign tag names no version of ours, and so matches none.
        Ok(IfMatch(tags.split(',').filter_map(version_of).collect()))
    }
}

/// Whether the client already has `version`, so that 304 says it all.
pub fn not_modified(request: &Request, version: Version) -> bool {
    request.header("if-none-match").is_some_and(|tags| {
        tags == "*"
            || tags
                .split(',')
                .map(|tag| tag.trim().trim_start_matches("W/"))
                .any(|tag| version_of(tag) == Some(version))
    })
}

fn version_of(tag: &str) -> Option<Version> {
    let text = tag.trim().strip_prefix('"')?.strip_suffix('"')?;
    // Character by character: "01" is another tag than "1".
    text.parse().ok().filter(|version: &Version| version.to_string() == text)
}
