//! What a program may do with an API token, beside what its role lets it.

use serde::{Deserialize, Serialize};

/// A group of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Records, their history, their types and what was changed.
    Records,
    /// Files of records.
    Appendices,
    /// Who belongs to the company, and who is invited.
    People,
    /// The company itself: its settings, what it keeps, what happened.
    Company,
}

impl Scope {
    pub const ALL: [Self; 4] = [Self::Records, Self::Appendices, Self::People, Self::Company];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Appendices => "appendices",
            Self::People => "people",
            Self::Company => "company",
        }
    }

    /// The scope that an endpoint is in, by its path. `None`: it is for people alone, such as passwords and tokens.
    pub fn of(path: &str) -> Option<Self> {
        let mut segments = path.strip_prefix("/v1/")?.split('/');
        match segments.next()? {
            "records" if segments.any(|it| it == "appendices") => Some(Self::Appendices),
            "changes" | "overview" | "records" | "types" => Some(Self::Records),
            "people" if segments.any(|it| it == "password-resets") => None,
            "people" => Some(Self::People),
            "customer" | "usage" | "events" => Some(Self::Company),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn a_scope_is_known_by_its_path_and_what_is_for_people_has_none() {
        for (path, scope) in [
            ("/v1/records", Some(Scope::Records)),
            ("/v1/changes", Some(Scope::Records)),
            ("/v1/overview", Some(Scope::Records)),
            ("/v1/inbox", None),
            ("/v1/records/{record_id}/revisions", Some(Scope::Records)),
            ("/v1/types/{type}", Some(Scope::Records)),
            ("/v1/records/{record_id}/appendices/{appendix_id}", Some(Scope::Appendices)),
            ("/v1/people/{user_id}", Some(Scope::People)),
            ("/v1/people/{user_id}/password-resets", None),
            ("/v1/customer", Some(Scope::Company)),
            ("/v1/invitations", None),
            ("/v1/tokens", None),
            ("/v1/password", None),
            ("/v1/session", None),
            ("/", None),
        ] {
            assert_eq!(Scope::of(path), scope, "{path}");
        }
    }
}
