//! Short texts that people write, each a type of its own.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{FromStored, RuleError};

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $parse:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = RuleError;

            fn try_from(text: String) -> Result<Self, RuleError> {
                let parse: fn(&str) -> Result<String, RuleError> = $parse;
                parse(&text).map(Self)
            }
        }

        impl FromStored for $name {
            type Form = String;

            fn from_stored(text: String) -> Self {
                Self(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

texts! {
    /// What a record is about: one line, 1 to 200 characters.
    RecordTitle = |text| line(text, 200);
    /// A company's name: one line, 1 to 200 characters.
    CompanyName = |text| line(text, 200);
    /// A person's name: one line, 1 to 100 characters.
    PersonName = |text| line(text, 100);
    /// An appendix's file name, without a path: 1 to 150 characters. With its UTF-8 bytes
    /// percent-encoded it still fits a Content-Disposition header.
    FileName = file_name;
    /// The kind of a record, in the customer's own words: `service_order`, `deviation`.
    RecordType = record_type;
    /// The name of a field, a state or an option of a form, for programs: `torque`, `in_progress`.
    Name = name;
    /// What people see in place of a name: one line, 1 to 100 characters.
    Label = |text| line(text, 100);
    /// What explains a field: one line, 1 to 500 characters.
    HelpText = |text| line(text, 500);
    /// The unit of a number: one line, 1 to 20 characters.
    UnitName = |text| line(text, 20);
    /// What somebody says about a record: 1 to 10,000 characters, of as many lines.
    CommentText = |text| lines(text, 10_000);
    /// What the numbers of a type's records start with: `DEV`.
    NumberPrefix = number_prefix;
}

/// One line of visible text, trimmed, of at most `chars_max` characters.
fn line(text: &str, chars_max: usize) -> Result<String, RuleError> {
    let is_none = |c: char| c.is_control() || is_line_break(c);
    visible(text, chars_max, is_none, "must be one line without control characters")
}

/// Lines of visible text, trimmed, of at most `chars_max` characters in all.
fn lines(text: &str, chars_max: usize) -> Result<String, RuleError> {
    let is_none = |c: char| c.is_control() && !['\n', '\t'].contains(&c);
    visible(text, chars_max, is_none, "must have no control characters but line breaks")
}

/// Visible text, trimmed, without characters that `is_refused` tells of, by this rule.
fn visible(
    text: &str,
    chars_max: usize,
    is_refused: fn(char) -> bool,
    rule: &'static str,
) -> Result<String, RuleError> {
    let text = text.trim();
    if !text.chars().any(is_visible) {
        return Err(RuleError::new("must not be empty"));
    }
    if text.chars().count() > chars_max {
        return Err(RuleError::new(format!("must have at most {chars_max} characters")));
    }
    if text.chars().any(is_refused) {
        return Err(RuleError::new(rule));
    }
    if text.chars().any(reorders_text) {
        return Err(RuleError::new("must not contain characters that reorder text"));
    }
    Ok(text.to_owned())
}

fn file_name(text: &str) -> Result<String, RuleError> {
    let name = line(text, 150)?;
    if name.contains(['/', '\\']) || name == "." || name == ".." {
        return Err(RuleError::new("must be a file name without a path"));
    }
    Ok(name)
}

fn record_type(text: &str) -> Result<String, RuleError> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let fits = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 40
        && text.chars().all(word);
    if !fits {
        return Err(RuleError::new(
            "must start with a letter a-z and have at most 40 of a-z, 0-9 and _",
        ));
    }
    Ok(text.to_owned())
}

fn name(text: &str) -> Result<String, RuleError> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if (1..=40).contains(&text.len()) && !text.starts_with('_') && text.chars().all(word) {
        return Ok(text.to_owned());
    }
    Err(RuleError::new("must have 1 to 40 of a-z, 0-9 and _, and not start with _"))
}

fn number_prefix(text: &str) -> Result<String, RuleError> {
    let sign = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let begins = text.starts_with(|c: char| c.is_ascii_uppercase());
    if begins && text.len() <= 10 && text.chars().all(sign) {
        return Ok(text.to_owned());
    }
    Err(RuleError::new("must start with a letter A-Z and have at most 10 of A-Z and 0-9"))
}

/// Whether `text` has what no text that people write may have: what controls or reorders it. Line breaks and tabs are
/// for long texts.
pub(crate) fn has_controls(text: &str, lines: bool) -> bool {
    text.chars().any(|c| match c {
        '\n' | '\r' | '\t' => !lines,
        _ => c.is_control() || (!lines && is_line_break(c)) || reorders_text(c),
    })
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Bidirectional controls make a name read as another one ("gpj.exe" as "exe.jpg").
fn reorders_text(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether `c` leaves a mark by itself: spaces, joiners and fillers do not.
fn is_visible(c: char) -> bool {
    !(c.is_whitespace()
        || c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{180B}'..='\u{180E}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{E0000}'..='\u{E0FFF}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(text: &str) -> Result<RecordTitle, RuleError> {
        RecordTitle::try_from(text.to_owned())
    }

    #[test]
    fn a_title_is_trimmed_and_counts_characters_not_bytes() {
        assert_eq!(title("  Läckage på pump 3 ").unwrap().as_str(), "Läckage på pump 3");
        assert!(title(&"å".repeat(200)).is_ok());
        assert!(title(&"å".repeat(201)).is_err());
    }

    #[test]
    fn what_cannot_be_seen_is_empty() {
        for text in ["", " ", "\u{200B}\u{2060}", "\u{3164}", "\u{FEFF} \u{00AD}"] {
            assert_eq!(title(text), Err(RuleError::new("must not be empty")), "{text:?}");
        }
    }

    #[test]
    fn control_and_reordering_characters_are_refused() {
        for text in ["a\nb", "a\0b", "a\u{85}b", "a\u{2028}b", "in\u{202E}gpj.exe"] {
            assert!(title(text).is_err(), "{text:?}");
        }
        assert!(title("family \u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}").is_ok());
    }

    #[test]
    fn a_file_name_has_no_path() {
        for text in ["a/b", "..", ".", "C:\\x", "../../etc/passwd"] {
            assert!(FileName::try_from(text.to_owned()).is_err(), "{text}");
        }
        assert!(FileName::try_from("ritning 7 (rev B).pdf".to_owned()).is_ok());
    }

    #[test]
    fn a_record_type_is_a_plain_word() {
        for text in ["service_order", "ncr2", "x"] {
            assert!(RecordType::try_from(text.to_owned()).is_ok(), "{text}");
        }
        for text in ["", "Service", "2x", "_x", "a-b", "a#b", &"a".repeat(41)] {
            assert!(RecordType::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
