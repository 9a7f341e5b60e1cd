//! The words and rules of AM Service: what a record title may be, who may do what, what a revision
//! is. Pure: values in, values out. It must never depend on AWS, an executor, a clock, a source of
//! randomness or an environment variable.

pub mod appendix;
mod chain;
pub mod comment;
pub mod date;
pub mod email;
pub mod entropy;
pub mod fields;
pub mod form;
mod hex;
pub mod id;
pub mod json_pointer;
pub mod language;
pub mod merge_patch;
pub mod record;
pub mod revision;
pub mod role;
mod rule;
#[cfg(feature = "openapi")]
mod schemas;
pub mod scope;
pub mod sign_in;
mod stored;
pub mod text;
pub mod time;
pub mod token;
pub mod words;
pub mod zone;

pub use appendix::{
    Appendix, AppendixBytes, AppendixVersion, ContentType, Sha256, UploadState, VersionNumber,
};
pub use chain::chain;
pub use comment::Comment;
pub use date::Date;
pub use email::Email;
pub use entropy::Entropy;
pub use fields::Fields;
pub use form::{Definition, Form, Refusal};
pub use id::{
    AppendixId, ChosenId, CommentId, CustomerId, IDS_AHEAD_MAX, InvitationId, LoginId, RecordId,
    UserId,
};
pub use language::Language;
pub use merge_patch::MergePatch;
pub use record::{Draft, Given, Record, RecordNumber};
pub use revision::{Digest, Revision, Version};
pub use role::Role;
pub use rule::RuleError;
pub use scope::Scope;
pub use sign_in::{ShortName, SignInName};
pub use stored::{FromStored, UnknownMembers, stored};
pub use text::{
    CommentText, CompanyName, FileName, HelpText, Label, Name, NumberPrefix, PersonName,
    RecordTitle, RecordType, UnitName,
};
pub use time::Timestamp;
pub use token::{ApiToken, InvitationToken, ResetToken, SessionToken, SignUpToken, TokenHash};
pub use zone::TimeZone;
