//! Session tokens.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::{CustomerId, RuleError, UserId, hex};

/// Marks a leaked token as ours, to secret scanners and to whoever must not pass one on, and leaves
/// room for another format.
pub const PREFIX: &str = "am1_";

/// What a client shows to prove its session: 256 random bits, and whose they are, so that the
/// session, the user and the thing asked for can be read in one round trip. The names in it prove
/// nothing by themselves; the stored hash covers them too. It is a secret and cannot be printed.
pub struct SessionToken {
    pub customer: CustomerId,
    pub user: UserId,
    secret: [u8; 32],
}

impl SessionToken {
    pub const fn new(customer: CustomerId, user: UserId, secret: [u8; 32]) -> Self {
        Self { customer, user, secret }
    }

    /// What the store keeps in its place. A fast hash suffices: nobody guesses 256 bits.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.to_bytes()).into())
    }

    /// The token as text: the only way to see it, for the one answer that hands it out.
    pub fn expose(&self) -> String {
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(self.to_bytes()))
    }

    fn to_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..16].copy_from_slice(&self.customer.to_bytes());
        bytes[16..32].copy_from_slice(&self.user.to_bytes());
        bytes[32..].copy_from_slice(&self.secret);
        bytes
    }
}

impl FromStr for SessionToken {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let bytes: [u8; 64] = text
            .strip_prefix(PREFIX)
            .and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok())
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| RuleError::new("must be a session token"))?;
        let part = |from: usize| {
            let mut part = [0; 16];
            part.copy_from_slice(&bytes[from..from + 16]);
            part
        };
        let mut secret = [0; 32];
        secret.copy_from_slice(&bytes[32..]);
        Ok(Self::new(CustomerId::from_bytes(part(0)), UserId::from_bytes(part(16)), secret))
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(..)")
    }
}

/// The SHA-256 of a token, as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(secret: [u8; 32]) -> SessionToken {
        SessionToken::new(CustomerId::from_bytes([1; 16]), UserId::from_bytes([2; 16]), secret)
    }

    #[test]
    fn a_token_round_trips_and_its_hash_covers_whose_it_is() {
        let token = token([3; 32]);
        let parsed: SessionToken = token.expose().parse().unwrap();
        assert_eq!(parsed.expose(), token.expose());
        assert!(parsed.hash() == token.hash());
        let other = SessionToken::new(CustomerId::from_bytes([9; 16]), token.user, [3; 32]);
        assert!(other.hash() != token.hash());
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let good = token([3; 32]).expose();
        for text in ["", "am1_", &good[1..], &good[..good.len() - 1], &format!("{good}A"), "am1_å"]
        {
            assert!(text.parse::<SessionToken>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_cannot_be_printed() {
        assert_eq!(format!("{:?}", token([3; 32])), "SessionToken(..)");
    }
}
