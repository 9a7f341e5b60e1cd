//! The password policy, in one place to review: what a password may be, how it is hashed, and how
//! a login is checked. Nothing here can show a password, and nothing here does I/O.
//!
//! What is stored is a PHC string whose hash field is `HMAC-SHA256(pepper, argon2id(password))`.
//! The pepper lives outside the database, so that a copy of the database alone cannot be guessed
//! against; `keyid` in the PHC string names it, so that it can be rotated login by login.

mod common;
mod password;
mod pepper;
mod pool;

use std::sync::Arc;

use argon2::password_hash::phc::{Ident, Output, ParamsString, PasswordHash, Salt};
use argon2::{Params, Version};
use domain::{Entropy, entropy};
use subtle::ConstantTimeEq as _;

pub use password::{NewPassword, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, Password, WeakPassword};
pub use pepper::{Pepper, PepperError, Peppers};
pub use pool::Busy;
use pool::Pool;
use zeroize::Zeroizing;

/// Memory of one hash in KiB: 19 MiB with two passes is one of OWASP's equal-strength choices
/// (Password Storage Cheat Sheet), and small enough for a small function.
pub const MEMORY_KIB: u32 = 19 * 1024;
pub const PASSES: u32 = 2;
pub const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// A stored password hash: a PHC string. Not a secret that opens anything by itself, but nobody
/// needs to see it either.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredHash(String);

impl StoredHash {
    pub fn from_stored(phc: String) -> Self {
        Self(phc)
    }

    pub fn as_stored(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoredHash(..)")
    }
}

/// Proof that a password was right. It holds what only the right password yields, which no
/// database has.
pub struct Proof {
    hash: Zeroizing<[u8; HASH_BYTES]>,
    peppers: Arc<Peppers>,
    /// The hash was made with an earlier pepper or weaker parameters: store a new one.
    pub outdated: bool,
}

impl Proof {
    /// The secret of a session token, from a random `nonce` that may be stored. It takes the nonce,
    /// the pepper and the password to make it again.
    pub fn session_secret(&self, nonce: &[u8; 32]) -> [u8; 32] {
        self.peppers.current().mac(&[b"session-token", nonce, self.hash.as_slice()])
    }
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proof(..)")
    }
}

/// Hashes and checks passwords under the policy in force.
#[derive(Clone)]
pub struct Passwords {
    peppers: Arc<Peppers>,
    pool: Arc<Pool>,
}

impl Passwords {
    pub fn new(peppers: Peppers) -> Self {
        Self { peppers: Arc::new(peppers), pool: Pool::of_this_process() }
    }

    /// What a log may say in place of an address: the same for the same one, and nobody can guess back from it
    /// who has no pepper.
    pub fn pseudonym(&self, text: &str) -> String {
        let mac = self.peppers.current().mac(&[b"log", text.as_bytes()]);
        mac[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The password, if it may be one; or why not.
    pub async fn accept(
        &self,
        password: NewPassword,
        known: &[&str],
    ) -> Result<Result<Password, WeakPassword>, Busy> {
        let known: Vec<String> = known.iter().map(|it| (*it).to_owned()).collect();
        self.pool.clone().run(move |_| password.accept(&known)).await
    }

    /// A new hash of `password`. Takes tens of milliseconds of processor time, off the async thread.
    pub async fn hash(
        &self,
        password: Password,
        entropy: &dyn Entropy,
    ) -> Result<StoredHash, Busy> {
        Ok(self.renew(password, entropy).await?.0)
    }

    /// A new hash of a password that was right, and the proof that it is right by this hash.
    pub async fn renew(
        &self,
        password: Password,
        entropy: &dyn Entropy,
    ) -> Result<(StoredHash, Proof), Busy> {
        let salt = entropy::bytes::<SALT_BYTES>(entropy);
        let Self { peppers, pool } = self.clone();
        pool.run(move |pool| {
            let hash = pool.argon2id(&password, &salt, params());
            let stored = peppered(peppers.current(), &hash, &salt);
            (StoredHash(stored), Proof { hash, peppers, outdated: false })
        })
        .await
    }

    /// Proof that `password` is the one in `stored`, or `None`. Without a stored hash the same work
    /// is done, so that an unknown account takes as long as a wrong password.
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<StoredHash>,
    ) -> Result<Option<Proof>, Busy> {
        let Self { peppers, pool } = self.clone();
        pool.run(move |pool| match stored {
            Some(stored) => proof(pool, peppers, &password, &stored),
            None => {
                pool.argon2id(&password, &[0; SALT_BYTES], params());
                None
            }
        })
        .await
    }
}

fn params() -> Params {
    Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES)).expect("constants within bounds")
}

fn peppered(pepper: &Pepper, hash: &[u8; HASH_BYTES], salt: &[u8]) -> String {
    let mut shown = ParamsString::new();
    for (name, value) in [("m", MEMORY_KIB), ("t", PASSES), ("p", LANES)] {
        shown.add_decimal(name, value).expect("three short parameters");
    }
    shown.add_str("keyid", pepper.id()).expect("an id is a short word");
    PasswordHash {
        algorithm: Ident::new("argon2id").expect("a valid name"),
        version: Some(Version::V0x13.into()),
        params: shown,
        salt: Some(Salt::new(salt).expect("16 bytes are a salt")),
        hash: Some(Output::new(&stored_mac(pepper, hash)).expect("32 bytes are an output")),
    }
    .to_string()
}

fn stored_mac(pepper: &Pepper, hash: &[u8; HASH_BYTES]) -> [u8; HASH_BYTES] {
    pepper.mac(&[b"password", hash])
}

/// A hash that cannot be read, or whose pepper is gone, opens nothing.
fn proof(
    pool: &Pool,
    peppers: Arc<Peppers>,
    password: &Password,
    stored: &StoredHash,
) -> Option<Proof> {
    let (pepper, parsed, params) = read(&peppers, stored)?;
    let (salt, expected) = (parsed.salt?, parsed.hash?);
    let (memory, passes) = (params.m_cost(), params.t_cost());
    let hash = pool.argon2id(password, salt.as_ref(), params);
    if !bool::from(stored_mac(pepper, &hash).ct_eq(expected.as_bytes())) {
        return None;
    }
    let earlier_pepper = pepper.id() != peppers.current().id();
    let outdated = earlier_pepper || memory < MEMORY_KIB || passes < PASSES;
    Some(Proof { hash, peppers, outdated })
}

fn read<'a>(
    peppers: &'a Peppers,
    stored: &StoredHash,
) -> Option<(&'a Pepper, PasswordHash, Params)> {
    let parsed = PasswordHash::new(&stored.0).ok()?;
    let pepper = peppers.by_id(parsed.params.get_str("keyid")?)?;
    let cost = |name| parsed.params.get_decimal(name);
    let params = Params::new(cost("m")?, cost("t")?, cost("p")?, Some(HASH_BYTES)).ok()?;
    Some((pepper, parsed, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fives;
    impl Entropy for Fives {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(5);
        }
    }

    fn password(text: &str) -> Password {
        Password::try_from(text.to_owned()).unwrap()
    }

    fn passwords(peppers: &str) -> Passwords {
        Passwords::new(peppers.parse().unwrap())
    }

    const NEW: &str = "v2=abcdefghijklmnopqrstuvwxyzabcdef;v1=0123456789012345678901234567890123";
    const OLD: &str = "v1=0123456789012345678901234567890123";

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn the_right_password_opens_and_another_does_not() {
        run(async {
            let passwords = passwords(OLD);
            let stored = passwords.hash(password("two lathes and a mill"), &Fives).await.unwrap();
            let verify = |text| passwords.verify(password(text), Some(stored.clone()));
            assert!(!verify("two lathes and a mill").await.unwrap().unwrap().outdated);
            assert!(verify("two lathes and a mill ").await.unwrap().is_none());
            assert!(passwords.verify(password("two lathes"), None).await.unwrap().is_none());
        });
    }

    #[test]
    fn the_stored_form_names_the_parameters_in_force() {
        let stored = run(passwords(OLD).hash(password("two lathes and a mill"), &Fives)).unwrap();
        let prefix = "$argon2id$v=19$m=19456,t=2,p=1,keyid=v1$";
        assert!(stored.as_stored().starts_with(prefix), "{}", stored.as_stored());
    }

    #[test]
    fn letters_composed_in_two_ways_are_one_password() {
        run(async {
            let passwords = passwords(OLD);
            let stored = passwords
                .hash(password("tr\u{e4}det \u{e4}r gr\u{f6}nt nu"), &Fives)
                .await
                .unwrap();
            let other = password("tra\u{308}det a\u{308}r gro\u{308}nt nu");
            assert!(passwords.verify(other, Some(stored)).await.unwrap().is_some());
        });
    }

    #[test]
    fn a_rotated_pepper_asks_for_a_new_hash_and_a_lost_one_opens_nothing() {
        run(async {
            let word = || password("two lathes and a mill");
            let stored = passwords(OLD).hash(word(), &Fives).await.unwrap();
            let verify = |peppers, stored: StoredHash| async move {
                passwords(peppers).verify(word(), Some(stored)).await.unwrap()
            };
            assert!(verify(NEW, stored.clone()).await.unwrap().outdated);
            let (renewed, proof) = passwords(NEW).renew(word(), &Fives).await.unwrap();
            let again = verify(NEW, renewed).await.unwrap();
            assert!(!proof.outdated && !again.outdated);
            assert_eq!(proof.session_secret(&[1; 32]), again.session_secret(&[1; 32]));
            assert!(verify("v9=abcdefghijklmnopqrstuvwxyzabcdef", stored).await.is_none());
        });
    }

    #[test]
    fn a_damaged_hash_opens_nothing() {
        for stored in ["", "$argon2id$", "plain", "$argon2id$v=19$m=1,t=1,p=1,keyid=v1$AAAA$BBBB"] {
            let stored = StoredHash::from_stored(stored.to_owned());
            let opened = run(passwords(OLD).verify(password("anything at all"), Some(stored)));
            assert!(opened.unwrap().is_none());
        }
    }

    #[test]
    fn a_session_secret_takes_the_nonce_the_pepper_and_the_password() {
        run(async {
            let secret = async |peppers: &str, word: &str, nonce: [u8; 32]| {
                let passwords = passwords(peppers);
                let stored = passwords.hash(password(word), &Fives).await.unwrap();
                let proof = passwords.verify(password(word), Some(stored)).await.unwrap().unwrap();
                proof.session_secret(&nonce)
            };
            let base = secret(OLD, "two lathes and a mill", [1; 32]).await;
            assert_eq!(base, secret(OLD, "two lathes and a mill", [1; 32]).await);
            assert_ne!(base, secret(OLD, "two lathes and a mill", [2; 32]).await);
            assert_ne!(base, secret(NEW, "two lathes and a mill", [1; 32]).await);
            assert_ne!(base, secret(OLD, "two lathes and a saw", [1; 32]).await);
        });
    }
}
