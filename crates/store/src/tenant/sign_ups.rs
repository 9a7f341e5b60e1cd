//! Before there is a customer: links by which somebody signs up under an address that is theirs, and how often an
//! address is written to.

use domain::{Email, FromStored as _, SignUpToken, Timestamp};

use super::logins::{COUNT, attempt_limits};
use super::{Attempt, Login};
use crate::items::{self, Fields};
use crate::keys::{self, SortKey};
use crate::{Store, StoreError};

const EMAIL: &str = "email";

/// So many letters an address gets in a quarter of an hour, whoever asks for them: nobody floods a stranger.
const LETTERS_MAX: u32 = 5;

/// A letter that somebody asks for, counted before it is written.
pub struct LetterAsked {
    /// The try, of the address and of where it was asked from.
    pub attempt: Attempt,
    /// Whether the address gets one more.
    pub is_written: bool,
    /// Who logs in with the address.
    pub login: Option<Login>,
}

impl Store {
    /// Counts that somebody asks for a letter to an address, and looks up whose it is, at once.
    pub async fn ask_for_letter(
        &self,
        email: &Email,
        source: &str,
        now: Timestamp,
    ) -> Result<LetterAsked, StoreError> {
        let name = email.clone().into();
        let account = keys::account_attempts(&name);
        let limits = attempt_limits(&account);
        let (attempt, written, login) = tokio::try_join!(
            self.count_attempt(source, SortKey::attempts, &limits, now),
            self.count_letter(email, now),
            self.login(&name),
        )?;
        Ok(LetterAsked { attempt, is_written: written.refused_for(now).is_none(), login })
    }

    /// Counts a letter to an address, whoever has asked for it.
    pub async fn count_letter(&self, email: &Email, now: Timestamp) -> Result<Attempt, StoreError> {
        let letters = keys::letters_source(&email.clone().into());
        self.count_attempt(&letters, SortKey::attempts, &[(COUNT, LETTERS_MAX)], now).await
    }

    /// Keeps what lets somebody sign up under an address, until it expires.
    pub async fn keep_sign_up(
        &self,
        token: &SignUpToken,
        email: &Email,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let partition = keys::sign_up_link_partition(&token.hash());
        let mut item = items::key(&partition, &SortKey::SignUpLink);
        item.insert(EMAIL.to_owned(), items::text(email.as_str()));
        item.insert(items::EXPIRES_AT.to_owned(), items::number(expires_at.seconds()));
        self.database.put(&self.database.tables.sessions, item).await
    }

    /// Under which address a token lets somebody sign up; `None` where it is none, or has expired.
    pub async fn sign_up_of(
        &self,
        token: &SignUpToken,
        now: Timestamp,
    ) -> Result<Option<Email>, StoreError> {
        let partition = keys::sign_up_link_partition(&token.hash());
        let key = items::key(&partition, &SortKey::SignUpLink);
        let Some(item) = self.database.item(&self.database.tables.sessions, key).await? else {
            return Ok(None);
        };
        let fields = Fields(&item);
        // Time to live deletes late.
        if fields.parse::<i64>(items::EXPIRES_AT)? < now.seconds() {
            return Ok(None);
        }
        Ok(Some(Email::from_stored(fields.text(EMAIL)?.to_owned())))
    }
}
