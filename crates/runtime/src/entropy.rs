//! The operating system's random numbers.

use domain::Entropy;

#[derive(Clone, Copy, Debug)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // Without randomness there is no safe way on: no token, no salt, no id.
        getrandom::fill(bytes).expect("the operating system has random numbers");
    }
}
