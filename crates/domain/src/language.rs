//! The languages that the service speaks.

use serde::{Deserialize, Serialize};

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

impl Language {
    pub const ALL: [Self; 3] = [Self::Sv, Self::En, Self::De];

    pub const fn code(self) -> &'static str {
        match self {
            Self::Sv => "sv",
            Self::En => "en",
            Self::De => "de",
        }
    }
}
