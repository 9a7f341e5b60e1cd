//! Idempotency-Key: a POST that is repeated is done once and answered alike.

use domain::{Digest, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Earlier, IdempotencyKey, Remember};

use crate::{Code, Problem, Request};

/// One attempt to do something, as its client names it.
#[derive(Clone, Debug)]
pub struct Once {
    key: IdempotencyKey,
    fingerprint: String,
    now: Timestamp,
}

impl Once {
    /// The attempt that `request` is, told from others by its method, path and body.
    pub fn of(request: &Request) -> Result<Self, Problem> {
        Self::with_fingerprint(request, request.fingerprint())
    }

    /// The same where the client names its attempt; `None` where it does not, and a repetition is refused.
    pub fn where_named(request: &Request) -> Result<Option<Self>, Problem> {
        if !request.headers().contains_key("idempotency-key") {
            return Ok(None);
        }
        if request.header("idempotency-key").is_none_or(str::is_empty) {
            let detail =
                "Idempotency-Key must not be empty; without one, the change is not repeatable.";
            return Err(Problem::new(Code::KEY_INVALID, detail));
        }
        Self::of(request).map(Some)
    }

    /// Like [`Once::of`], for a request with a password: `parts` are the rest of it. Not even a hash
    /// of a password is kept beside the one that argon2id made.
    pub fn without_password(request: &Request, parts: &[&str]) -> Result<Self, Problem> {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        Self::with_fingerprint(request, Digest::of(&parts).to_string())
    }

    fn with_fingerprint(request: &Request, fingerprint: String) -> Result<Self, Problem> {
        let text = request.header("idempotency-key").unwrap_or("");
        if text.is_empty() {
            return Err(Problem::new(
                Code::KEY_MISSING,
                "Send an Idempotency-Key: a new one for each new thing to do, the same one to retry.",
            ));
        }
        let key = text
            .parse()
            .map_err(|rule| Problem::new(Code::KEY_INVALID, format!("Idempotency-Key {rule}.")))?;
        Ok(Self { key, fingerprint, now: request.now() })
    }

    pub const fn key(&self) -> &IdempotencyKey {
        &self.key
    }

    /// What the earlier attempt was answered with; a problem if it was another request.
    pub fn answer<T: DeserializeOwned>(&self, earlier: &Earlier) -> Result<T, Problem> {
        earlier.answer(&self.fingerprint)?.ok_or_else(Problem::key_reused)
    }

    /// What the earlier attempt was answered with, where the client names its attempts and there was one.
    pub fn earlier_answer<T: DeserializeOwned>(
        once: Option<&Self>,
        found: Option<Option<Earlier>>,
    ) -> Result<Option<T>, Problem> {
        match (once, found.flatten()) {
            (Some(once), Some(earlier)) => once.answer(&earlier).map(Some),
            _ => Ok(None),
        }
    }

    /// What the store shall remember together with the change.
    pub fn remember(&self, answer: &impl Serialize) -> Remember {
        Remember::new(self.key.clone(), self.fingerprint.clone(), answer, self.now)
    }
}
