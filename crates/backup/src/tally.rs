//! How many there are, and digests of them that add up.

use std::fmt;

use domain::Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::lattice::Lattice;

/// How many revisions, and the sums of their digests by each rule. The order they are added in does not
/// matter, so any number of readers can each add up a part; one altered, missing or extra revision changes
/// them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    pub count: u64,
    /// By the rule of the release before, which still reads what this one writes: modulo 2^256.
    #[serde(rename = "digest")]
    sum: Sum,
    /// By the rule of today; absent of what the release before has written, and where nothing is.
    #[serde(rename = "lthash", skip_serializing_if = "Option::is_none")]
    lattice: Option<Lattice>,
}

/// Little-endian words of 64 bits. Whoever could choose some 2^16 elements could make another set add up to
/// the same (Wagner's generalised birthday): where both sums are, this one decides nothing.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Sum([u64; 4]);

impl Tally {
    pub fn add(&mut self, digest: &Digest) {
        let mut sum = Sum::default();
        for (word, bytes) in sum.0.iter_mut().zip(digest.as_bytes().as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        self.sum.add(sum);
        if self.has_lattice() {
            self.lattice.get_or_insert_default().add(digest);
        }
        self.count += 1;
    }

    pub fn merge(&mut self, other: &Self) {
        let both = self.has_lattice() && other.has_lattice();
        match &other.lattice {
            Some(more) if both => self.lattice.get_or_insert_default().merge(more),
            None if !both => self.lattice = None,
            _ => {}
        }
        self.sum.add(other.sum);
        self.count += other.count;
    }

    /// Takes all away that another has, which is among these.
    pub fn subtract(&mut self, other: &Self) {
        let both = self.has_lattice() && other.has_lattice();
        match &other.lattice {
            Some(less) if both => self.lattice.get_or_insert_default().subtract(less),
            None if !both => self.lattice = None,
            _ => {}
        }
        self.sum.subtract(other.sum);
        self.count = self.count.saturating_sub(other.count);
    }

    /// Whether both are of the same: by the rule of today, or by that of the release before where only
    /// that one was made of one of them.
    pub fn agrees(&self, other: &Self) -> bool {
        if self.count != other.count {
            return false;
        }
        if self.has_lattice() && other.has_lattice() {
            let of = |tally: &Self| tally.lattice.clone().unwrap_or_default();
            return of(self) == of(other);
        }
        self.sum == other.sum
    }

    /// The sum, with the name of its rule: `lthash:`, and 64 hexadecimal digits.
    pub fn digest(&self) -> String {
        if self.has_lattice() {
            format!("lthash:{}", self.lattice.clone().unwrap_or_default().digest())
        } else {
            format!("sum:{}", self.sum)
        }
    }

    /// Of nothing, every rule has a sum.
    const fn has_lattice(&self) -> bool {
        self.lattice.is_some() || self.count == 0
    }
}

impl Sum {
    fn add(&mut self, other: Self) {
        let mut carry = false;
        for (word, more) in self.0.iter_mut().zip(other.0) {
            (*word, carry) = word.carrying_add(more, carry);
        }
    }
}

impl Sum {
    fn subtract(&mut self, other: Self) {
        let mut borrow = false;
        for (word, less) in self.0.iter_mut().zip(other.0) {
            (*word, borrow) = word.borrowing_sub(less, borrow);
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

    /// As the release before has written it.
    fn earlier(tally: &Tally) -> Tally {
        let mut json = serde_json::to_value(tally).unwrap();
        json.as_object_mut().unwrap().remove("lthash");
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn order_and_parts_do_not_matter() {
        let whole = tally(0..1000);
        assert!(whole.agrees(&tally((0..1000).rev())));
        let mut parts = tally(300..1000);
        parts.merge(&tally(0..300));
        assert!(whole.agrees(&parts));
        assert_eq!((whole.count, whole.digest()), (1000, parts.digest()));
    }

    #[test]
    fn one_missing_extra_or_other_revision_shows_by_either_rule() {
        let whole = tally(0..1000);
        for other in [tally(0..999), tally(0..1001), tally((0..999).chain([1000])), tally(1..1001)]
        {
            assert!(!whole.agrees(&other));
            assert!(!earlier(&whole).agrees(&other) && !other.agrees(&earlier(&whole)));
        }
    }

    #[test]
    fn what_was_added_can_be_taken_away() {
        let mut some = tally(0..10);
        some.subtract(&tally(3..6));
        let expected = tally((0..3).chain(6..10));
        assert!(some.agrees(&expected) && some.sum == expected.sum);
        some.subtract(&expected);
        assert!(some.agrees(&Tally::default()) && some.sum == Sum::default());
    }

    #[test]
    fn what_has_the_same_sum_modulo_2_256_does_not_agree() {
        let mut forged = tally(0..10);
        forged.lattice = tally(10..20).lattice;
        assert!(!tally(0..10).agrees(&forged));
        assert!(earlier(&tally(0..10)).agrees(&forged), "that rule cannot tell");
    }

    #[test]
    fn what_the_release_before_has_written_is_held_by_its_own_rule_and_goes_on_by_none_other() {
        let (whole, mut before) = (tally(0..10), earlier(&tally(0..9)));
        assert!(before.digest().starts_with("sum:") && whole.digest().starts_with("lthash:"));
        before.add(&digest(9));
        assert!(before.agrees(&whole) && before.lattice.is_none());
        let mut merged = tally(5..10);
        merged.merge(&earlier(&tally(0..5)));
        assert!(merged.agrees(&whole) && merged.lattice.is_none());
        // What holds nothing takes no rule away.
        merged = tally(0..10);
        merged.merge(&Tally::default());
        merged.merge(&earlier(&Tally::default()));
        assert_eq!(merged.digest(), whole.digest());
        assert!(Tally::default().agrees(&earlier(&Tally::default())));
    }

    #[test]
    fn words_carry_over_and_the_last_one_wraps_around() {
        let mut sum = Sum([u64::MAX, u64::MAX, 0, 0]);
        sum.add(Sum([1, 0, 0, 0]));
        assert_eq!(sum, Sum([0, 0, 1, 0]));
        let mut sum = Sum([u64::MAX; 4]);
        sum.add(Sum([1, 0, 0, 0]));
        assert_eq!(sum, Sum([0; 4]));
        let sum = Sum([1, 0, 0, 0xff]);
        assert_eq!(sum.to_string(), format!("{:016x}{:048x}", 0xff, 1));
        assert_eq!(serde_json::from_value::<Sum>(serde_json::json!(sum)).unwrap(), sum);
        assert!(serde_json::from_str::<Sum>("\"ff\"").is_err());
    }
}
