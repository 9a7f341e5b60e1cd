//! Every key string, in one place: sort keys here, partitions beside. docs/DATA.md has the table of who reads which.
//!
//! The partition key of all that a customer owns is the customer's id, so one query finds all of
//! it and no key of another customer's can be named by mistake.

mod parse;
mod partitions;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;

use domain::{
    AppendixId, CommentId, CustomerId, InvitationId, RecordId, RecordType, Timestamp, TokenHash,
    UserId, Version, VersionNumber,
};

use crate::IdempotencyKey;
use crate::events::EventPlace;
use crate::index::ChangeTime;
use crate::indexed::{Unindexed, Worded};
use crate::kinds::Kind;
use crate::notices::NoticePlace;

pub(crate) use parse::{time, unknown_key};
pub(crate) use partitions::*;

/// What one item is, as its sort key below a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SortKey {
    Customer,
    User(UserId),
    Card(UserId),
    Invitation(InvitationId),
    Invitee(InvitationId),
    /// The one item below [`short_name_partition`].
    ShortName,
    /// That nobody works at a customer for now: its profile says why.
    Suspended,
    /// What the records of a type look like.
    Type(RecordType),
    Record(RecordId),
    Appendix(RecordId, AppendixId),
    AppendixVersion(RecordId, AppendixId, VersionNumber),
    Comment(RecordId, CommentId),
    /// One revision of the thing that the inner key names.
    Revision(Box<SortKey>, Version),
    /// One of the items that count what a customer keeps.
    Usage(u8),
    /// Who has chosen to be told of a record's changes.
    Followers(RecordId),
    /// How many numbers the records of a type have been given.
    Counter(RecordType),
    /// Where a record stands in a list, below [`list_partition`].
    ByChange(ChangeTime),
    /// That a record, or a comment on it, has words that begin as [`words_partition`] says.
    Word(Worded),
    /// That words are to be written yet, below [`unindexed_partition`].
    Unindexed(Unindexed),
    /// That somebody wants a mail each day of what they were told, below [`daily_partition`].
    Daily(CustomerId, UserId),
    /// What somebody is told, below [`inbox_partition`].
    Notice(NoticePlace),
    /// Where a lane of the feed ends, below [`lane_partition`].
    Lane(u8),
    /// A pointer of that lane, by its number.
    Pointer(u64),
    /// The one item below [`index_built_partition`].
    IndexBuilt,
    /// The answer to a user's request.
    Request(UserId, IdempotencyKey),
    /// The answer to a sign-up, below [`sign_up_partition`].
    SignUp(IdempotencyKey),
    /// The one item below [`sign_up_link_partition`].
    SignUpLink,
    Event(EventPlace),
    /// Of which program, and the hash of its token.
    Token(UserId, String),
    /// The one item of its kind below [`sign_in_partition`].
    Tries,
    /// Of whom, and the hash of its token. An earlier release named nobody.
    Session(Option<UserId>, String),
    /// Who logs in with a name: the one item below [`sign_in_partition`]. Of an earlier release, the login itself.
    SignIn,
    /// What opens the accounts of a person, below [`login_partition`].
    Login,
    /// That this person belongs to one more customer, as this user.
    Member(CustomerId, UserId),
    /// What lets somebody set a password, by the hash of its token.
    Reset(String),
    /// Attempts to log in and to sign up, of one window, below [`source_partition`]. A text, since
    /// an earlier release had the source there, as of crashes.
    Attempts(String),
    /// The backup run of one evening, in the ledger; what became of its jobs and of its restored
    /// copies is below the same partition.
    BackupRun(Timestamp),
    /// How a backup job ended.
    BackupJob(String),
    /// What was found in a restored copy of what one run has backed up, by the restore's job.
    Verification(Timestamp, String),
    /// Why the chain of evenings goes on from a run: one row for each reason.
    Link(Timestamp, String),
    /// A restore of the whole service to a moment: of two to the same, one is at work at a time.
    Restore(Timestamp),
    /// That a person of a customer's was forgotten.
    Forgotten(CustomerId, UserId),
    /// How one thing that the policy promises stands.
    Policy(String),
    /// Crashes, of one window, below [`source_partition`].
    Crashes(String),
    /// The one item below [`crash_partition`].
    Crash,
    /// An issue in Sentry that is resolved, and whose crashes are to be deleted.
    Resolved(String),
    /// The same in the ledger, once they are.
    Deleted(String),
}

impl SortKey {
    /// What an item with this key is.
    #[deny(clippy::wildcard_enum_match_arm)]
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Customer => Kind::Customer,
            Self::User(_) => Kind::User,
            Self::Card(_) => Kind::Card,
            Self::Invitation(_) => Kind::Invitation,
            Self::Invitee(_) => Kind::Invitee,
            Self::ShortName => Kind::ShortName,
            Self::Suspended => Kind::Suspended,
            Self::Type(_) => Kind::Type,
            Self::Record(_) => Kind::Record,
            Self::Appendix(..) => Kind::Appendix,
            Self::AppendixVersion(..) => Kind::AppendixVersion,
            Self::Comment(..) => Kind::Comment,
            Self::Revision(..) => Kind::Revision,
            Self::Usage(_) => Kind::Usage,
            Self::Followers(_) => Kind::Followers,
            Self::Counter(_) => Kind::Counter,
            Self::ByChange(_) => Kind::Listed,
            Self::Word(_) => Kind::Word,
            Self::Unindexed(_) => Kind::Unindexed,
            Self::Daily(..) => Kind::Daily,
            Self::Notice(_) => Kind::Notice,
            Self::Lane(_) => Kind::Lane,
            Self::Pointer(_) => Kind::Pointer,
            Self::IndexBuilt => Kind::IndexBuilt,
            Self::Request(..) => Kind::Request,
            Self::SignUp(_) => Kind::SignUp,
            Self::SignUpLink => Kind::SignUpLink,
            Self::Event(_) => Kind::Event,
            Self::Token(..) => Kind::Token,
            Self::Tries => Kind::Tries,
            Self::Session(..) => Kind::Session,
            Self::SignIn => Kind::SignIn,
            Self::Login => Kind::Login,
            Self::Member(..) => Kind::Member,
            Self::Reset(_) => Kind::Reset,
            Self::Attempts(_) => Kind::Attempts,
            Self::BackupRun(_) => Kind::BackupRun,
            Self::BackupJob(_) => Kind::BackupJob,
            Self::Verification(..) => Kind::Verification,
            Self::Link(..) => Kind::Link,
            Self::Restore(_) => Kind::Restore,
            Self::Forgotten(..) => Kind::Forgotten,
            Self::Policy(_) => Kind::Policy,
            Self::Crashes(_) => Kind::Crashes,
            Self::Crash => Kind::Crash,
            Self::Resolved(_) => Kind::Resolved,
            Self::Deleted(_) => Kind::Deleted,
        }
    }

    pub(crate) fn session(user: UserId, hash: &TokenHash) -> Self {
        Self::Session(Some(user), hash.to_string())
    }

    /// Of the window that begins at `start`.
    pub(crate) fn attempts(start: Timestamp) -> Self {
        Self::Attempts(format!("{:013}", start.millis()))
    }

    /// Of the window that begins at `start`.
    pub(crate) fn crashes(start: Timestamp) -> Self {
        Self::Crashes(format!("{:013}", start.millis()))
    }

    pub(crate) fn revision(self, version: Version) -> Self {
        Self::Revision(Box::new(self), version)
    }
}

impl fmt::Display for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().prefix())?;
        match self {
            Self::Customer
            | Self::Login
            | Self::SignIn
            | Self::SignUpLink
            | Self::Tries
            | Self::ShortName
            | Self::Suspended
            | Self::Crash
            | Self::IndexBuilt => Ok(()),
            Self::User(user) | Self::Card(user) => write!(f, "#{user}"),
            Self::Invitation(invitation) | Self::Invitee(invitation) => write!(f, "#{invitation}"),
            Self::Member(customer, user)
            | Self::Forgotten(customer, user)
            | Self::Daily(customer, user) => {
                write!(f, "#{customer}#{user}")
            }
            Self::Session(Some(user), hash) | Self::Token(user, hash) => {
                write!(f, "#{user}#{hash}")
            }
            Self::Type(record_type) | Self::Counter(record_type) => write!(f, "#{record_type}"),
            Self::Record(record) | Self::Followers(record) => write!(f, "#{record}"),
            Self::Word(of) => write!(f, "#{of}"),
            Self::Unindexed(it) => {
                write!(f, "#{:013}#{}#{}#{}", it.at.millis(), it.customer, it.of, it.version)
            }
            Self::Notice(NoticePlace { at, record, reason, change }) => {
                write!(f, "#{:013}#{record}#{}#{change}", at.millis(), reason.name())
            }
            Self::Appendix(record, appendix) => write!(f, "#{record}#{appendix}"),
            Self::Comment(record, comment) => write!(f, "#{record}#{comment}"),
            Self::AppendixVersion(record, appendix, number) => {
                write!(f, "#{record}#{appendix}#{:04}", number.get())
            }
            Self::Revision(of, version) => write!(f, "#{of}#{:010}", version.get()),
            Self::Usage(part) | Self::Lane(part) => write!(f, "#{part}"),
            // More than a customer has in a thousand years of a thousand changes a second.
            Self::Pointer(number) => write!(f, "#{number:015}"),
            Self::ByChange(place) => {
                write!(f, "#{BY_CHANGE}#{:013}#{}", place.at.millis(), place.record)
            }
            Self::Event(place) => write!(f, "#{:013}#{}", place.at.millis(), place.digest),
            Self::Request(user, key) => write!(f, "#{user}#{key}"),
            Self::SignUp(key) => write!(f, "#{key}"),
            // Thirteen digits of milliseconds sort as text until the year 2286.
            Self::BackupRun(time) | Self::Restore(time) => write!(f, "#{:013}", time.millis()),
            Self::Verification(run, name) | Self::Link(run, name) => {
                write!(f, "#{:013}#{name}", run.millis())
            }
            Self::Session(None, name)
            | Self::Reset(name)
            | Self::Attempts(name)
            | Self::BackupJob(name)
            | Self::Policy(name)
            | Self::Crashes(name)
            | Self::Resolved(name)
            | Self::Deleted(name) => write!(f, "#{name}"),
        }
    }
}
