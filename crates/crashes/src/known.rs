//! The projects in Sentry that crashes may be sent to.

use std::str::FromStr;

use crate::{Dsn, ProjectId};

/// A list of DSNs. What is sent to another would make us anybody's proxy.
#[derive(Clone, Debug, Default)]
pub struct KnownProjects(Vec<Dsn>);

impl KnownProjects {
    /// The very DSN: host, project and key.
    pub fn find(&self, dsn: &Dsn) -> Option<&Dsn> {
        self.0.iter().find(|known| *known == dsn)
    }

    /// The one of this project with this key.
    pub fn find_by_key(&self, project: &str, key: &str) -> Option<&Dsn> {
        let fits = |dsn: &&Dsn| dsn.project_id().value() == project && dsn.public_key() == key;
        self.0.iter().find(fits)
    }

    pub fn is_project(&self, id: &str) -> bool {
        self.0.iter().any(|dsn| dsn.project_id().value() == id)
    }

    pub fn ids(&self) -> impl Iterator<Item = &ProjectId> {
        self.0.iter().map(Dsn::project_id)
    }

    pub fn first(&self) -> Option<&Dsn> {
        self.0.first()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

/// DSNs with commas between them; none, where the text is empty.
impl FromStr for KnownProjects {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let dsns = text.split(',').map(str::trim).filter(|dsn| !dsn.is_empty());
        let parsed = dsns.map(|dsn| dsn.parse().ok().filter(has_a_number));
        let parsed: Option<Vec<Dsn>> = parsed.collect();
        parsed.map(Self).ok_or("must be DSNs, https://KEY@HOST/PROJECT, with commas between")
    }
}

/// Sentry's own have; it becomes part of paths.
fn has_a_number(dsn: &Dsn) -> bool {
    dsn.project_id().value().bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_dsn_is_known() {
        let known: KnownProjects =
            "https://key@o1.ingest.de.sentry.io/7, https://other@o1.ingest.de.sentry.io/8"
                .parse()
                .unwrap();
        let know = |dsn: &str| known.find(&dsn.parse().unwrap()).is_some();
        assert!(know("https://key@o1.ingest.de.sentry.io/7"));
        assert!(know("https://key@o1.ingest.de.sentry.io:443/7"), "the port it has anyway");
        for other in [
            "https://key@o1.ingest.de.sentry.io/8",
            "https://other@o1.ingest.de.sentry.io/7",
            "https://key@o1.ingest.de.sentry.io:8443/7",
            "https://key@o1.ingest.de.sentry.io/a/7",
            "https://key:secret@o1.ingest.de.sentry.io/7",
            "http://key@o1.ingest.de.sentry.io/7",
            "https://key@o1.ingest.de.sentry.io.example.com/7",
        ] {
            assert!(!know(other), "{other}");
        }
        assert!(known.is_project("8") && !known.is_project("9") && !known.is_project(""));
        assert!("".parse::<KnownProjects>().unwrap().is_empty());
        assert!("https://key@o1.ingest.de.sentry.io/7;x".parse::<KnownProjects>().is_err());
    }
}
