//! E-mail addresses: what a person logs in with.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{FromStored, RuleError};

/// The longest address that can be delivered to: RFC 5321's path of 256 octets less its brackets.
const EMAIL_BYTES_MAX: usize = 254;

/// An e-mail address, lower-cased: two spellings that differ in case are one account. It is
/// personal data and must not be logged, so it shows itself only through [`Email::as_str`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Email(String);

impl Email {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }
}

impl TryFrom<String> for Email {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        let text = text.trim();
        if text.len() > EMAIL_BYTES_MAX {
            return Err(RuleError::new(format!("must have at most {EMAIL_BYTES_MAX} characters")));
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(RuleError::new("must be ASCII without spaces"));
        }
        let fits = matches!(text.split_once('@'), Some((local, domain))
            if (1..=64).contains(&local.len()) && is_domain(domain));
        if !fits {
            return Err(RuleError::new("must be an e-mail address: name@domain"));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl FromStored for Email {
    type Form = String;

    fn from_stored(text: String) -> Self {
        Self(text)
    }
}

fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    domain.contains('.') && domain.split('.').all(label)
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_surrounding_space_do_not_make_another_account() {
        let email = Email::try_from(" Eva.Ek@Example.COM ".to_owned()).unwrap();
        assert_eq!(email.as_str(), "eva.ek@example.com");
        assert_eq!(email.local_part(), "eva.ek");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        for text in [
            "",
            "eva",
            "eva@",
            "@example.com",
            "a@b",
            "a b@example.com",
            "a@b@c.se",
            "å@b.se",
            "a@-b.se",
            "a@b..se",
            "a#b@example.com\n@x.se",
            &long,
        ] {
            assert!(Email::try_from(text.to_owned()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn debug_does_not_show_the_address() {
        let email = Email::try_from("eva@example.com".to_owned()).unwrap();
        assert_eq!(format!("{email:?}"), "Email(..)");
    }
}
