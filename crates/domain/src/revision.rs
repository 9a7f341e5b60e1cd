//! The rule that history, lost-update protection, the change feed, the erasure ledger and backup
//! verification stand on: every durable change is a new revision, and a revision never changes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{RuleError, Timestamp, UnknownMembers, UserId, hex};

/// How often a thing has been changed: 1 when created, then one more with each change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(u64);

impl Version {
    pub const FIRST: Self = Self(1);

    pub const fn get(self) -> u64 {
        self.0
    }

    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl TryFrom<u64> for Version {
    type Error = RuleError;

    fn try_from(number: u64) -> Result<Self, RuleError> {
        // Ten digits, so that versions sort as text; no thing is changed ten thousand million times.
        if (1..10_000_000_000).contains(&number) {
            return Ok(Self(number));
        }
        Err(RuleError::new("must be a version: a number from 1"))
    }
}

impl FromStr for Version {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        text.parse().unwrap_or(0).try_into()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A thing as it was at one version. The newest one is the thing as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision<T> {
    pub version: Version,
    pub created_at: Timestamp,
    pub created_by: UserId,
    pub changed_at: Timestamp,
    pub changed_by: UserId,
    /// A tombstone: the thing was deleted by this change. Its last content stays in the history.
    pub deleted: bool,
    pub content: T,
    /// What a later release keeps beside the content; a change by this one leaves it as it is.
    pub unknown: UnknownMembers,
}

impl<T> Revision<T> {
    /// The revision that creates a thing.
    pub fn first(content: T, by: UserId, at: Timestamp) -> Self {
        Self {
            version: Version::FIRST,
            created_at: at,
            created_by: by,
            changed_at: at,
            changed_by: by,
            deleted: false,
            content,
            unknown: UnknownMembers::default(),
        }
    }

    /// The revision that gives the thing new content.
    pub fn changed(&self, content: T, by: UserId, at: Timestamp) -> Self {
        Self {
            version: self.version.next(),
            created_at: self.created_at,
            created_by: self.created_by,
            // Clocks of two machines differ; history must not run backwards.
            changed_at: at.max(self.changed_at),
            changed_by: by,
            deleted: false,
            content,
            unknown: self.unknown.clone(),
        }
    }

    /// The revision that deletes the thing.
    pub fn tombstone(&self, by: UserId, at: Timestamp) -> Self
    where
        T: Clone,
    {
        Self { deleted: true, ..self.changed(self.content.clone(), by, at) }
    }

    /// The same revision with its content in another form.
    pub fn with<U>(self, content: U, unknown: UnknownMembers) -> Revision<U> {
        Revision {
            version: self.version,
            created_at: self.created_at,
            created_by: self.created_by,
            changed_at: self.changed_at,
            changed_by: self.changed_by,
            deleted: self.deleted,
            content,
            unknown,
        }
    }

    /// A BLAKE3 digest of every attribute, under the key it is stored at, so that an altered,
    /// swapped or moved revision shows. `content` is the exact text that is stored.
    pub fn digest(&self, key: &str, content: &str) -> Digest {
        let mut hasher = blake3::Hasher::new();
        let mut add = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        add(key.as_bytes());
        add(&self.version.get().to_le_bytes());
        add(&self.created_at.millis().to_le_bytes());
        add(&self.created_by.to_bytes());
        add(&self.changed_at.millis().to_le_bytes());
        add(&self.changed_by.to_bytes());
        add(&[u8::from(self.deleted)]);
        add(content.as_bytes());
        Digest(*hasher.finalize().as_bytes())
    }
}

/// A BLAKE3 digest, shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `parts`, each with its length, so that no two lists of parts run together.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(*hasher.finalize().as_bytes())
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `text` is this digest as it is shown.
    pub fn is_shown_as(&self, text: &str) -> bool {
        hex::is_shown_as(&self.0, text)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(&self.0, f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        hex::read(text).map(Self).ok_or_else(|| RuleError::new("must be 64 hexadecimal digits"))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVA: UserId = UserId::from_bytes([1; 16]);
    const ALI: UserId = UserId::from_bytes([2; 16]);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_change_counts_up_and_keeps_who_created_it() {
        let first = Revision::first("a", EVA, at(10));
        let second = first.changed("b", ALI, at(20));
        assert_eq!((second.version.get(), second.created_by, second.changed_by), (2, EVA, ALI));
        let end = second.tombstone(EVA, at(30));
        assert!(end.deleted && end.content == "b" && end.version.get() == 3);
    }

    #[test]
    fn history_does_not_run_backwards_when_clocks_differ() {
        let first = Revision::first("a", EVA, at(10));
        assert_eq!(first.changed("b", ALI, at(5)).changed_at, at(10));
    }

    #[test]
    fn every_attribute_is_in_the_digest() {
        let base = Revision::first("a", EVA, at(10));
        let digest = base.digest("key", "a");
        let altered = [
            base.digest("kez", "a"),
            base.digest("key", "b"),
            Revision { version: Version(2), ..base.clone() }.digest("key", "a"),
            Revision { created_at: at(11), ..base.clone() }.digest("key", "a"),
            Revision { created_by: ALI, ..base.clone() }.digest("key", "a"),
            Revision { changed_at: at(11), ..base.clone() }.digest("key", "a"),
            Revision { changed_by: ALI, ..base.clone() }.digest("key", "a"),
            Revision { deleted: true, ..base.clone() }.digest("key", "a"),
        ];
        assert!(altered.iter().all(|other| *other != digest));
        assert_eq!(base.clone().digest("key", "a"), digest);
    }

    #[test]
    fn parts_of_a_digest_do_not_run_together() {
        assert_ne!(Digest::of(&[b"ab", b"c"]), Digest::of(&[b"a", b"bc"]));
    }
}
