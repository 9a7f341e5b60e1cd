//! Tallies by the hash of the thing that they are about: where a copy differs, the difference is in
//! few of them, and only there has anybody to look closely.

use std::collections::BTreeMap;

use domain::Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Tally;

/// Into so many parts things fall by the hash of their key.
const BUCKETS: usize = 64;

/// One tally for each part.
#[derive(Clone, Debug)]
pub struct Buckets(Box<[Tally; BUCKETS]>);

/// Some of the parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suspects(u64);

impl Default for Buckets {
    fn default() -> Self {
        Self(Box::new(std::array::from_fn(|_| Tally::default())))
    }
}

impl Buckets {
    pub fn add(&mut self, thing: &str, digest: &Digest) {
        self.0[bucket(thing)].add(digest);
    }

    pub fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0.iter()).for_each(|(tally, more)| tally.merge(more));
    }

    /// Takes all away that others have, which are among these.
    pub fn subtract(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0.iter()).for_each(|(tally, less)| tally.subtract(less));
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|part| part.count == 0)
    }

    /// All parts together.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.0.iter().for_each(|part| total.merge(part));
        total
    }

    /// Where the two do not hold the same.
    pub fn differing(&self, other: &Self) -> Suspects {
        let differ = (0..BUCKETS).filter(|bucket| !self.0[*bucket].agrees(&other.0[*bucket]));
        Suspects(differ.fold(0, |set, bucket| set | 1 << bucket))
    }

    /// The counts of those in which the two differ, and which these are.
    pub fn differences<'a>(
        &'a self,
        other: &'a Self,
        among: Suspects,
    ) -> impl Iterator<Item = (usize, u64, u64)> + 'a {
        let differ = move |bucket: &usize| {
            among.0 >> bucket & 1 == 1 && !self.0[*bucket].agrees(&other.0[*bucket])
        };
        let counts = |bucket: usize| (bucket, self.0[bucket].count, other.0[bucket].count);
        (0..BUCKETS).filter(differ).map(counts)
    }
}

impl Suspects {
    pub const ALL: Self = Self(u64::MAX);

    pub fn has(self, thing: &str) -> bool {
        self.0 >> bucket(thing) & 1 == 1
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

fn bucket(thing: &str) -> usize {
    usize::from(Digest::of(&[thing.as_bytes()]).as_bytes()[0]) * BUCKETS / 256
}

/// Those that are not empty, by their number: JSON has text for names.
impl Serialize for Buckets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let filled = self.0.iter().enumerate().filter(|(_, tally)| tally.count > 0);
        serializer.collect_map(filled.map(|(bucket, tally)| (bucket.to_string(), tally)))
    }
}

impl<'de> Deserialize<'de> for Buckets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut buckets = Self::default();
        for (bucket, tally) in BTreeMap::<String, Tally>::deserialize(deserializer)? {
            let place = bucket.parse().ok().and_then(|bucket: usize| buckets.0.get_mut(bucket));
            *place.ok_or_else(|| de::Error::custom("is no bucket"))? = tally;
        }
        Ok(buckets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: usize) -> Digest {
        Digest::of(&[&n.to_le_bytes()])
    }

    fn filled(things: impl IntoIterator<Item = usize>) -> Buckets {
        let mut buckets = Buckets::default();
        things.into_iter().for_each(|n| buckets.add(&format!("thing {n}"), &digest(n)));
        buckets
    }

    #[test]
    fn a_difference_is_found_in_the_part_it_is_in_and_no_other() {
        let (whole, lacking) = (filled(0..1000), filled((0..1000).filter(|n| *n != 7)));
        let suspects = whole.differing(&lacking);
        assert!(suspects.has("thing 7") && suspects.0.count_ones() == 1);
        assert!(whole.differing(&filled((0..1000).rev())).is_empty());
        let (bucket, here, there) = whole.differences(&lacking, suspects).next().unwrap();
        assert_eq!((bucket, here), (super::bucket("thing 7"), there + 1));
    }

    #[test]
    fn they_are_written_down_and_read_again() {
        let buckets = filled(0..100);
        let json = serde_json::to_string(&buckets).unwrap();
        let read: Buckets = serde_json::from_str(&json).unwrap();
        assert!(read.differing(&buckets).is_empty());
        assert_eq!(read.total().digest(), buckets.total().digest());
        assert!(
            serde_json::from_str::<Buckets>(r#"{"64": {"count": 1, "digest": "00"}}"#).is_err()
        );
    }
}
