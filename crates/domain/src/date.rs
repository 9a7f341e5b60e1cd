//! Days of the calendar.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{FromStored, RuleError, Timestamp};

/// A day, without a time zone: 2026-12-24.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Date(String);

/// Whether a text is a day of the calendar, from the year 1000 on: dates sort as text.
pub fn is_date(text: &str) -> bool {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, it)| match at {
            4 | 7 => it == b'-',
            _ => it.is_ascii_digit(),
        });
    shape && !text.starts_with('0') && text.parse::<jiff::civil::Date>().is_ok()
}

impl Date {
    pub(crate) fn of(day: jiff::civil::Date) -> Self {
        Self(day.to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the day begins in UTC: where it stands among others.
    pub fn start(&self) -> Timestamp {
        let day = self.0.parse().unwrap_or(jiff::civil::date(1970, 1, 1));
        let since = day.duration_since(jiff::civil::date(1970, 1, 1));
        Timestamp::from_millis(since.as_secs().saturating_mul(1000))
    }
}

impl TryFrom<String> for Date {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        if is_date(&text) {
            Ok(Self(text))
        } else {
            Err(RuleError::new("must be a date such as 2026-12-24"))
        }
    }
}

impl std::str::FromStr for Date {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        Self::try_from(text.to_owned())
    }
}

impl FromStored for Date {
    type Form = String;

    fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_day_of_the_calendar() {
        for (text, is) in [
            ("2026-12-24", true),
            ("2024-02-29", true),
            ("2026-02-29", false),
            ("2026-13-01", false),
            ("2026-1-1", false),
            ("0999-01-01", false),
            ("2026-12-24T00:00", false),
            ("２０２６-12-24", false),
            ("", false),
        ] {
            assert_eq!(is_date(text), is, "{text}");
        }
        let day = Date::try_from("1970-01-02".to_owned()).unwrap();
        assert_eq!(day.start(), Timestamp::from_millis(86_400_000));
        let starts = ["1000-01-01", "1969-12-31", "2026-12-24", "9999-12-31"]
            .map(|text| Date::try_from(text.to_owned()).unwrap().start().millis());
        assert!(starts.is_sorted() && starts[1] == -86_400_000, "{starts:?}");
    }
}
