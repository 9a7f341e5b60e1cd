//! Tokens: of sessions, and of links that let somebody in.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, de};
use sha2::{Digest as _, Sha256};

use crate::{CustomerId, InvitationId, LoginId, RuleError, UserId, hex};

/// Declares tokens: what each starts with, which marks a leaked one as ours, to secret scanners and to whoever must
/// not pass one on; the ids in it, which say where to look; and 256 random bits. The ids prove nothing by
/// themselves; the hash covers them too. A token is a secret and cannot be printed.
macro_rules! tokens {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal, $what:literal { $($id:ident: $type:ident),* })+) => {$(
        $(#[$doc])*
        pub struct $name {
            $(pub $id: $type,)*
            secret: [u8; 32],
        }

        impl $name {
            pub const PREFIX: &str = $prefix;

            pub const fn new($($id: $type,)* secret: [u8; 32]) -> Self {
                Self { $($id,)* secret }
            }

            /// What the store keeps in its place. A fast hash suffices: nobody guesses 256 bits.
            pub fn hash(&self) -> TokenHash {
                TokenHash(Sha256::digest(self.to_bytes()).into())
            }

            /// The token as text: the only way to see it, for the one answer that hands it out.
            pub fn expose(&self) -> String {
                format!("{}{}", Self::PREFIX, BASE64_URL_SAFE_NO_PAD.encode(self.to_bytes()))
            }

            fn to_bytes(&self) -> Vec<u8> {
                let mut bytes = Vec::new();
                $(bytes.extend(self.$id.to_bytes());)*
                bytes.extend(self.secret);
                bytes
            }
        }

        impl FromStr for $name {
            type Err = RuleError;

            fn from_str(text: &str) -> Result<Self, RuleError> {
                let refused = || RuleError::new(concat!("must be ", $what));
                let text = text.strip_prefix(Self::PREFIX).ok_or_else(refused)?;
                let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
                let rest = bytes.as_slice();
                $(let (id, more) = rest.split_first_chunk().ok_or_else(refused)?; let rest = more;
                let $id = $type::from_bytes(*id);)*
                let secret = rest.try_into().map_err(|_| refused())?;
                Ok(Self { $($id,)* secret })
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}

tokens! {
    /// What a client shows to prove its session. It says whose it is, so that the session, the user and the thing
    /// asked for can be read in one round trip.
    SessionToken, "am1_", "a session token" { customer: CustomerId, user: UserId }
    /// What a program shows in the place of a session: it says whose it is, as a session does.
    ApiToken, "am1t_", "an API token" { customer: CustomerId, user: UserId }
    /// What lets somebody into a company, once: it is in a link.
    InvitationToken, "am1i_", "the token of an invitation" { customer: CustomerId, invitation: InvitationId }
    /// What lets somebody sign a company up under an address that is theirs: it is in a link.
    SignUpToken, "am1s_", "the token of a sign-up" { }
    /// What lets somebody set a password, once: it is in a link.
    ResetToken, "am1r_", "the token of a reset" { login: LoginId }
}

/// What tokens start with.
pub const PREFIXES: [&str; 5] = [
    SessionToken::PREFIX,
    ApiToken::PREFIX,
    InvitationToken::PREFIX,
    SignUpToken::PREFIX,
    ResetToken::PREFIX,
];

/// The SHA-256 of a token, as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl FromStr for TokenHash {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        hex::read(text).map(Self).ok_or_else(|| RuleError::new("must be 64 hexadecimal digits"))
    }
}

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
