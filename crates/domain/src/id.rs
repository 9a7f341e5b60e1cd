//! Identifiers: ULIDs, one type per kind, so that mixing two of them does not compile. Clients may
//! choose the ids of what they create, which lets a phone create records while it is offline.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use ulid::Ulid;

use crate::{Entropy, RuleError, Timestamp, entropy};

/// Clocks of phones are wrong, but an id that claims to be from later than this would stand first, or
/// last, in every listing for as long.
pub const IDS_AHEAD_MAX: Duration = Duration::from_secs(24 * 60 * 60);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl $name {
            /// A new id: sorts by `now`, unique by the 80 random bits.
            pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(new_ulid(now, entropy))
            }

            /// When it was made, by the clock of whoever made it.
            pub fn made_at(self) -> Timestamp {
                Timestamp::from_millis(i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX))
            }

            /// The lowest id that was made at a time.
            pub fn first_of(time: Timestamp) -> Self {
                let millis = u64::try_from(time.millis()).unwrap_or(0);
                Self(Ulid::from_parts(millis, 0))
            }

            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Ulid::from_bytes(bytes))
            }

            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_bytes()
            }
        }

        impl Id for $name {
            fn made_at(&self) -> Timestamp {
                (*self).made_at()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = RuleError;

            fn from_str(text: &str) -> Result<Self, RuleError> {
                parse_ulid(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )+};
}

ids! {
    /// A company: the tenant. Everything it owns is stored under this id.
    CustomerId,
    /// A person's account with one customer.
    UserId,
    /// A person, of however many companies: what a password opens.
    LoginId,
    InvitationId,
    RecordId,
    AppendixId,
    CommentId,
}

/// Any of the kinds of ids.
pub trait Id {
    /// When it was made, by the clock of whoever made it.
    fn made_at(&self) -> Timestamp;
}

/// An id that a client has chosen for what it creates. It is no id yet: it has to be accepted first.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct ChosenId<I>(I);

impl<I: Id> ChosenId<I> {
    /// The id, if it may be chosen now.
    ///
    /// # Errors
    /// It is from too far ahead.
    pub fn accept(self, now: Timestamp) -> Result<I, RuleError> {
        if self.0.made_at() > now.after(IDS_AHEAD_MAX) {
            return Err(RuleError::new("must not be from more than a day ahead"));
        }
        Ok(self.0)
    }
}

fn new_ulid(now: Timestamp, entropy: &dyn Entropy) -> Ulid {
    let millis = u64::try_from(now.millis()).unwrap_or(0);
    let mut random = [0; 16];
    random[6..].copy_from_slice(&entropy::bytes::<10>(entropy));
    Ulid::from_parts(millis, u128::from_be_bytes(random))
}

/// Only the canonical form is an id: one thing must not have two spellings.
fn parse_ulid(text: &str) -> Result<Ulid, RuleError> {
    Ulid::from_string(text)
        .ok()
        .filter(|ulid| ulid.to_string() == text)
        .ok_or_else(|| RuleError::new("must be a ULID: 26 characters of Crockford's base 32"))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sevens;
    impl Entropy for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn ids_round_trip_and_sort_by_time() {
        let early = RecordId::new(Timestamp::from_millis(1_000), &Sevens);
        let late = RecordId::new(Timestamp::from_millis(2_000), &Sevens);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse(), Ok(early));
        assert_eq!(RecordId::from_bytes(early.to_bytes()), early);
    }

    #[test]
    fn only_the_canonical_spelling_is_an_id() {
        for text in [
            "",
            "01ARZ3NDEKTSV4RRFFQ69G5FA",
            "01arz3ndektsv4rrffq69g5fav",
            "81ARZ3NDEKTSV4RRFFQ69G5FAV",
            "O1ARZ3NDEKTSV4RRFFQ69G5FAV",
            "01ARZ3NDEKTSV4RRFFQ69G5FA#",
            "01ARZ3NDEKTSV4RRFFQ69G5FÄ",
        ] {
            assert!(text.parse::<RecordId>().is_err(), "{text}");
        }
    }
}
