//! The name of one attempt.

use std::fmt;
use std::str::FromStr;

use domain::RuleError;

/// A client's name for one attempt to do something, so that a repeated POST is done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl FromStr for IdempotencyKey {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
        if !fits {
            return Err(RuleError::new("must be 1 to 64 of A-Z, a-z, 0-9, '-', '_', '.' and ':'"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
