//! The key outside the database.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Shorter keys than the MAC's output would weaken it.
const KEY_CHARS_MIN: usize = 32;

/// One key and the short name that stored hashes know it by. It cannot be printed.
pub struct Pepper {
    id: String,
    key: Zeroizing<String>,
}

impl Pepper {
    pub fn id(&self) -> &str {
        &self.id
    }

    /// HMAC-SHA256 over `parts`, each with its length; the first part says what it is for.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_bytes())
            .expect("HMAC takes a key of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// The pepper in force and the earlier ones that stored hashes may still need, as configuration
/// gives them: `v2=KEY;v1=KEY`, the newest first.
pub struct Peppers(Vec<Pepper>);

impl Peppers {
    pub fn current(&self) -> &Pepper {
        &self.0[0]
    }

    pub fn by_id(&self, id: &str) -> Option<&Pepper> {
        self.0.iter().find(|pepper| pepper.id == id)
    }
}

/// Says what is wrong with the configured text, and never shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be id=key pairs separated by ';', ids of a-z and 0-9, keys of at least 32 characters"
)]
pub struct PepperError;

impl FromStr for Peppers {
    type Err = PepperError;

    fn from_str(text: &str) -> Result<Self, PepperError> {
        let pepper = |pair: &str| {
            let (id, key) = pair.split_once('=')?;
            let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            let fits = (1..=16).contains(&id.len())
                && id.chars().all(word)
                && key.chars().count() >= KEY_CHARS_MIN;
            fits.then(|| Pepper { id: id.to_owned(), key: Zeroizing::new(key.to_owned()) })
        };
        text.split(';').map(pepper).collect::<Option<Vec<_>>>().map(Self).ok_or(PepperError)
    }
}

impl fmt::Debug for Peppers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peppers(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_is_checked_and_never_shown() {
        for text in ["", "v1", "v1=short", "V1=0123456789012345678901234567890123", "=;"] {
            let error = text.parse::<Peppers>().unwrap_err();
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
        let peppers: Peppers = "v1=0123456789012345678901234567890123".parse().unwrap();
        assert_eq!(format!("{peppers:?}"), "Peppers(..)");
    }
}
