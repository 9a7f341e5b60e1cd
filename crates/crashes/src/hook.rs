//! Sentry's webhooks are signed: <https://docs.sentry.io/integrations/integration-platform/webhooks/>

use std::convert::Infallible;
use std::str::FromStr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The client secret of the integration, which Sentry signs its webhooks with.
pub struct HookKey(Hmac<Sha256>);

impl FromStr for HookKey {
    type Err = Infallible;

    fn from_str(secret: &str) -> Result<Self, Infallible> {
        Ok(Self(Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length")))
    }
}

impl HookKey {
    /// Whether `signature` is the HMAC-SHA256 of these very bytes, in hexadecimal digits. Compared in
    /// constant time.
    pub fn has_signed(&self, body: &[u8], signature: &str) -> bool {
        let Some(signature) = from_hex(signature) else { return false };
        self.0.clone().chain_update(body).verify_slice(&signature).is_ok()
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_is_so() {
        // RFC 4231, test case 2.
        let key: HookKey = "Jefe".parse().unwrap();
        let body = b"what do ya want for nothing?";
        let signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert!(key.has_signed(body, signature));
        assert!(key.has_signed(body, &signature.to_uppercase()));
        assert!(!key.has_signed(b"what do ya want for nothing!", signature));
        let another: HookKey = "Jefe2".parse().unwrap();
        assert!(!another.has_signed(body, signature));
        for other in ["", "5bdc", &signature.replace('5', "6"), &"å".repeat(32), &"+1".repeat(32)]
        {
            assert!(!key.has_signed(body, other), "{other}");
        }
    }
}
