//! A digest that adds up.

use std::fmt;

use domain::Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How many revisions, and the sum of their digests modulo 2^256. The order they are added in does
/// not matter, so any number of readers can each add up a part. One altered, missing or extra
/// revision changes it: finding others with the same sum takes about as long as breaking BLAKE3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub count: u64,
    #[serde(rename = "digest")]
    sum: Sum,
}

/// Little-endian words of 64 bits.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Sum([u64; 4]);

impl Tally {
    pub fn add(&mut self, digest: &Digest) {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(digest.as_bytes().chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().expect("chunks of eight"));
        }
        self.merge(&Self { count: 1, sum: Sum(words) });
    }

    /// The sum, as 64 hexadecimal digits.
    pub fn digest(&self) -> String {
        self.sum.to_string()
    }

    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        let mut carry = false;
        for (word, more) in self.sum.0.iter_mut().zip(other.sum.0) {
            (*word, carry) = word.carrying_add(more, carry);
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sum({self})")
    }
}

impl Serialize for Sum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let word = |index: usize| {
            let digits = text.get(index * 16..(index + 1) * 16)?;
            u64::from_str_radix(digits, 16).ok()
        };
        let words = || Some([word(3)?, word(2)?, word(1)?, word(0)?]);
        let sum = words().filter(|_| text.len() == 64).map(Self);
        sum.ok_or_else(|| de::Error::custom("must be 64 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: u64) -> Digest {
        Digest::of(&[&n.to_le_bytes()])
    }

    fn tally(digests: impl IntoIterator<Item = u64>) -> Tally {
        let mut tally = Tally::default();
        digests.into_iter().for_each(|n| tally.add(&digest(n)));
        tally
    }

    #[test]
    fn order_and_parts_do_not_matter() {
        let whole = tally(0..1000);
        assert_eq!(whole, tally((0..1000).rev()));
        let mut parts = tally(300..1000);
        parts.merge(&tally(0..300));
        assert_eq!(whole, parts);
        assert_eq!(whole.count, 1000);
    }

    #[test]
    fn one_missing_extra_or_other_revision_shows() {
        let whole = tally(0..1000);
        for other in [tally(0..999), tally(0..1001), tally((0..999).chain([1000])), tally(1..1001)]
        {
            assert_ne!(whole, other);
        }
    }

    #[test]
    fn words_carry_over_and_the_last_one_wraps_around() {
        let mut tally = Tally { count: 1, sum: Sum([u64::MAX, u64::MAX, 0, 0]) };
        tally.merge(&Tally { count: 1, sum: Sum([1, 0, 0, 0]) });
        assert_eq!(tally.sum, Sum([0, 0, 1, 0]));
        let mut tally = Tally { count: 1, sum: Sum([u64::MAX; 4]) };
        tally.merge(&Tally { count: 1, sum: Sum([1, 0, 0, 0]) });
        assert_eq!(tally.sum, Sum([0; 4]));
        let sum = Sum([1, 0, 0, 0xff]);
        assert_eq!(sum.to_string(), format!("{:016x}{:048x}", 0xff, 1));
        assert_eq!(serde_json::from_value::<Sum>(serde_json::json!(sum)).unwrap(), sum);
        assert!(serde_json::from_str::<Sum>("\"ff\"").is_err());
    }
}
