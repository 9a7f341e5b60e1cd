//! What a person logs in with: an e-mail address; or, without one, a name and the company's short name.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{CompanyName, Email, FromStored, RuleError};

/// What a company is called behind the `@` of its people's names: `verkstad`. It has no dot, so that no such name
/// is an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ShortName(String);

impl ShortName {
    pub const CHARS_MAX: usize = 30;

    /// One that a company of this name may have, where it has enough letters: "Verkstad i Åre AB" may be
    /// `verkstad-i-are`. With a number, others of the same name may have one too.
    pub fn suggested(company: &CompanyName, number: Option<u32>) -> Option<Self> {
        let mut words = String::new();
        for letter in company.as_str().to_lowercase().chars() {
            match letter {
                'å' | 'ä' | 'à' | 'á' => words.push('a'),
                'ö' | 'ø' | 'ó' => words.push('o'),
                'ü' => words.push('u'),
                'é' | 'è' => words.push('e'),
                'ß' => words.push_str("ss"),
                'a'..='z' | '0'..='9' => words.push(letter),
                _ => words.push('-'),
            }
        }
        let forms = ["ab", "gmbh", "ag", "as", "oy", "ltd", "inc"];
        let words = words.split('-').filter(|word| !word.is_empty() && !forms.contains(word));
        let mut name: String = words.collect::<Vec<_>>().join("-");
        name.truncate(Self::CHARS_MAX - 6);
        let name = name.trim_matches(|c: char| c == '-' || c.is_ascii_digit());
        let number = number.map(|number| format!("-{}", number % 100_000));
        Self::try_from(format!("{name}{}", number.unwrap_or_default())).ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ShortName {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        let text = text.trim().to_ascii_lowercase();
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fits = (2..=Self::CHARS_MAX).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with('-')
            && text.chars().all(word);
        if !fits {
            return Err(RuleError::new(
                "must start with a letter a-z, have 2 to 30 of a-z, 0-9 and -, and not end with -",
            ));
        }
        Ok(Self(text))
    }
}

impl FromStored for ShortName {
    type Form = String;

    fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for ShortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `eva@example.com`, or `eva@verkstad` of the company whose short name that is; lower-cased. It is personal data
/// and must not be logged, so it shows itself only through [`SignInName::as_str`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct SignInName(String);

impl SignInName {
    /// A company's own name of a person.
    ///
    /// # Errors
    /// The part before the `@` is no such name.
    pub fn of_company(name: &str, company: &ShortName) -> Result<Self, RuleError> {
        let name = name.trim().to_ascii_lowercase();
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        let fits = (1..=64).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(word);
        if !fits {
            return Err(RuleError::new(
                "must start with a letter or digit and have at most 64 of a-z, 0-9, ., _ and -",
            ));
        }
        Ok(Self(format!("{name}@{company}")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }

    /// The company whose name of a person this is; `None` of an e-mail address.
    pub fn company(&self) -> Option<&str> {
        self.0.split_once('@').map(|(_, domain)| domain).filter(|domain| !domain.contains('.'))
    }
}

impl TryFrom<String> for SignInName {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        let trimmed = text.trim();
        match trimmed.split_once('@') {
            Some((name, company)) if !company.contains(['.', '@']) => {
                let company = ShortName::try_from(company.to_owned());
                let name = company.and_then(|company| Self::of_company(name, &company));
                name.map_err(|_| RuleError::new("must be an e-mail address, or name@company"))
            }
            Some(_) => Email::try_from(text).map(Self::from),
            None => Err(RuleError::new("must be an e-mail address, or name@company")),
        }
    }
}

impl From<Email> for SignInName {
    fn from(email: Email) -> Self {
        Self(email.as_str().to_owned())
    }
}

impl FromStored for SignInName {
    type Form = String;

    fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for SignInName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignInName(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_address_or_a_name_within_a_company() {
        let name = |text: &str| SignInName::try_from(text.to_owned());
        assert_eq!(name(" Eva@Verkstad ").unwrap().as_str(), "eva@verkstad");
        assert_eq!(name("eva.ek@verkstad").unwrap().company(), Some("verkstad"));
        assert_eq!(name("Eva@Example.com").unwrap().as_str(), "eva@example.com");
        assert_eq!(name("eva@example.com").unwrap().company(), None);
        for text in [
            "",
            "eva",
            "eva@",
            "@verkstad",
            "eva@-x",
            "e va@verkstad",
            "eva@a",
            "a@b@c",
            "åsa@verkstad",
        ] {
            assert!(name(text).is_err(), "{text}");
        }
        assert_eq!(format!("{:?}", name("eva@verkstad").unwrap()), "SignInName(..)");
    }

    #[test]
    fn a_company_is_given_a_short_name_of_its_own() {
        let name = |text: &str, number| {
            let company = CompanyName::try_from(text.to_owned()).unwrap();
            ShortName::suggested(&company, number).map(|name| name.to_string())
        };
        assert_eq!(name("Verkstad i Åre AB", None).as_deref(), Some("verkstad-i-are"));
        assert_eq!(name("Verkstad AB", Some(123_456)).as_deref(), Some("verkstad-23456"));
        assert_eq!(name("Müller & Söhne GmbH", None).as_deref(), Some("muller-sohne"));
        assert_eq!(name("株式会社", None), None);
        assert_eq!(name("株式会社", Some(7)), None);
        assert!(name(&"x".repeat(200), Some(99_999)).is_some());
    }

    #[test]
    fn a_short_name_is_a_plain_word_without_a_dot() {
        let name = |text: &str| ShortName::try_from(text.to_owned());
        assert_eq!(name(" Verkstad-2 ").unwrap().as_str(), "verkstad-2");
        for text in ["", "a", "a.b", "2b", "a-", "å1", &"a".repeat(31)] {
            assert!(name(text).is_err(), "{text}");
        }
    }
}
