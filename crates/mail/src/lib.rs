//! Mail to people: what it says, in each language, and how it is sent: SES v2, from Frankfurt.
//!
//! An address is personal data and a link opens things, so nothing here shows either. This crate must never depend on
//! the store: who is written to, and whether, is decided elsewhere.

mod daily;
mod letters;
mod sender;

pub use daily::{News, What, daily};
pub use letters::{Letter, invitation, new_device, no_account, reset, sign_up, signed_up_before};
pub use sender::{MailError, Mailer};
