//! LtHash: a digest of a set that adds up, and that binds whoever makes the elements too (Lewi, Kim,
//! Maykov, Weis: "Securing Update Propagation with Homomorphic Hashing", 2019). Each element becomes 1024
//! numbers of 16 bits, which are added lane by lane. Another set with the same sum would be a short vector
//! of a lattice; the authors put that at 2^200 steps or more.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const LANES: usize = 1024;
const BYTES: usize = 2 * LANES;

/// The sum of some elements. An element that is added 2^16 times vanishes: ours have a key and a version,
/// and each is there once.
#[derive(Clone, PartialEq, Eq)]
pub struct Lattice(Box<[u16; LANES]>);

impl Default for Lattice {
    fn default() -> Self {
        Self(Box::new([0; LANES]))
    }
}

impl Lattice {
    /// Adds the element that this is the digest of.
    pub fn add(&mut self, element: &Digest) {
        self.add_bytes(element.as_bytes());
    }

    fn add_bytes(&mut self, element: &[u8]) {
        let mut expanded = [0; BYTES];
        blake3::Hasher::new().update(element).finalize_xof().fill(&mut expanded);
        for (lane, bytes) in self.0.iter_mut().zip(expanded.as_chunks().0) {
            *lane = lane.wrapping_add(u16::from_le_bytes(*bytes));
        }
    }

    /// Adds all that another sum has.
    pub fn merge(&mut self, other: &Self) {
        for (lane, more) in self.0.iter_mut().zip(other.0.iter()) {
            *lane = lane.wrapping_add(*more);
        }
    }

    /// Takes all away that another sum has.
    pub fn subtract(&mut self, other: &Self) {
        for (lane, less) in self.0.iter_mut().zip(other.0.iter()) {
            *lane = lane.wrapping_sub(*less);
        }
    }

    /// What is published of it: the BLAKE3 hash of the state, as 64 hexadecimal digits.
    pub fn digest(&self) -> String {
        blake3::hash(&self.to_bytes()).to_hex().to_string()
    }

    fn to_bytes(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        for (two, lane) in bytes.as_chunks_mut().0.iter_mut().zip(self.0.iter()) {
            *two = lane.to_le_bytes();
        }
        bytes
    }
}

impl fmt::Debug for Lattice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lattice({})", self.digest())
    }
}

/// The whole state, in base64.
impl Serialize for Lattice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self.to_bytes()))
    }
}

impl<'de> Deserialize<'de> for Lattice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(de::Error::custom)?;
        if bytes.len() != BYTES {
            return Err(de::Error::custom(format_args!("must be {BYTES} bytes in base64")));
        }
        let mut lattice = Self::default();
        for (lane, two) in lattice.0.iter_mut().zip(bytes.as_chunks().0) {
            *lane = u16::from_le_bytes(*two);
        }
        Ok(lattice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum<'a>(elements: impl IntoIterator<Item = &'a [u8]>) -> Lattice {
        let mut lattice = Lattice::default();
        elements.into_iter().for_each(|element| lattice.add_bytes(element));
        lattice
    }

    /// What commonware-cryptography 2026.10.0 says of the same elements.
    #[test]
    fn it_is_what_another_implementation_makes() {
        for (elements, digest) in [
            (&[][..], "be2a8de3dcf46c94ce85cdc8e07ac308f4d8a95490d956c38d780fd610db0813"),
            (&[&b"hello"[..]], "4f9c1ab89ccd5ed0b6eb21936f99e598cf854b6db6c6773d0b51294618576455"),
            (
                &[b"world", b"hello"],
                "7d3790d32bba3ea1a17b9ff814c5aba238576404012fd4c03f6def65d1792712",
            ),
            (
                &[&[9; 32], b"hello", &[7; 32]],
                "99ba18012cb57a7a012ca646507c8c6dda9a1e5434f19a2acbd262569359b551",
            ),
        ] {
            assert_eq!(sum(elements.iter().copied()).digest(), digest, "{elements:?}");
        }
        let numbers: Vec<[u8; 4]> = (0..100_000_u32).map(u32::to_le_bytes).collect();
        assert_eq!(
            sum(numbers.iter().map(|number| &number[..])).digest(),
            "21fb6f8af8277b4416dbe731566f6af533e0f42eced8d3d0ea95c40915223a73"
        );
    }

    #[test]
    fn what_is_added_can_be_taken_away() {
        let (a, b) = (sum([&b"a"[..], b"b"]), sum([&b"b"[..], b"c"]));
        let mut both = a.clone();
        both.merge(&b);
        assert_eq!(both, sum([&b"a"[..], b"b", b"b", b"c"]));
        both.subtract(&a);
        assert_eq!(both, b);
    }

    #[test]
    fn it_is_written_down_and_read_again() {
        let lattice = sum([&b"a"[..], b"b"]);
        let json = serde_json::to_string(&lattice).unwrap();
        assert_eq!(serde_json::from_str::<Lattice>(&json).unwrap(), lattice);
        for broken in ["\"\"", "\"AAAA\"", "\"å\"", "7"] {
            assert!(serde_json::from_str::<Lattice>(broken).is_err(), "{broken}");
        }
    }
}
