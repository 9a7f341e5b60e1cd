//! The languages that the service speaks.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::RuleError;

/// By its ISO 639-1 code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Sv,
    #[default]
    En,
    De,
}

impl FromStr for Language {
    type Err = RuleError;

    fn from_str(code: &str) -> Result<Self, RuleError> {
        let spoken = Self::ALL.into_iter().find(|language| language.code() == code);
        spoken.ok_or_else(|| RuleError::new("must be sv, en or de"))
    }
}

impl Language {
    pub const ALL: [Self; 3] = [Self::Sv, Self::En, Self::De];

    /// The first language of an Accept-Language header that is spoken here, or English.
    pub fn preferred(accepted: &str) -> Self {
        let first = accepted.split(',').find_map(|range| {
            let code = range.trim().get(..2)?.to_ascii_lowercase();
            Self::ALL.into_iter().find(|language| language.code() == code)
        });
        first.unwrap_or_default()
    }

    pub const fn code(self) -> &'static str {
        match self {
            Self::Sv => "sv",
            Self::En => "en",
            Self::De => "de",
        }
    }
}
