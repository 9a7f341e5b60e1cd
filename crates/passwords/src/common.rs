//! Passwords that are commonly taken: of each, what common/make.py has kept.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Sorted, each the first bytes of a SHA-256.
static HEADS: &[u8] = include_bytes!("../common/common.bin");

/// Whether this is one of them, whatever stands between its letters and digits.
pub(crate) fn is_common(text: &str) -> bool {
    let core: Zeroizing<String> = Zeroizing::new(
        text.chars().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect(),
    );
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(core.as_bytes()));
    HEADS.as_chunks().0.binary_search(&[a, b, c, d]).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_common_is_known_however_it_is_written() {
        assert!(HEADS.as_chunks::<4>().0.is_sorted() && HEADS.len() > 100_000);
        for text in ["thisismypassword", "This Is My-Password!", "Correct horse battery staple"] {
            assert!(is_common(text), "{text}");
        }
        for text in ["two lathes and a mill", "brus p\u{e5} linje sju igen", ""] {
            assert!(!is_common(text), "{text}");
        }
    }
}
