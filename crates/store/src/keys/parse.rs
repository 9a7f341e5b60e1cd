//! Keys, as they are read.

use std::str::FromStr;

use domain::{FromStored as _, RecordType, RuleError, Timestamp, VersionNumber};

use super::{BY_CHANGE, SortKey};
use crate::index::ChangeTime;
use crate::indexed::{Unindexed, Worded};
use crate::kinds::Kind;
use crate::notices::NoticePlace;

impl FromStr for SortKey {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (prefix, rest) = text.split_once('#').unwrap_or((text, ""));
        let parts: Vec<&str> = rest.split('#').collect();
        let kinds = Kind::ALL.iter().filter(|kind| kind.prefix() == prefix);
        // Two kinds can start alike; how many parts there are tells them apart.
        let mut found = kinds.map(|kind| parse(*kind, rest, &parts));
        found.find_map(Result::transpose).unwrap_or_else(|| Err(unknown_key()))
    }
}

/// The key of this kind that has these parts, if that is how such keys are made.
#[deny(clippy::wildcard_enum_match_arm)]
fn parse(kind: Kind, rest: &str, parts: &[&str]) -> Result<Option<SortKey>, RuleError> {
    let name = |key: fn(String) -> SortKey| match parts {
        [name] => Some(key((*name).to_owned())),
        _ => None,
    };
    let only = |key: SortKey| (parts == [""]).then_some(key);
    Ok(match (kind, parts) {
        (Kind::Customer, _) => only(SortKey::Customer),
        (Kind::Login, _) => only(SortKey::Login),
        (Kind::Crash, _) => only(SortKey::Crash),
        (Kind::IndexBuilt, _) => only(SortKey::IndexBuilt),
        (Kind::SignIn, _) => only(SortKey::SignIn),
        (Kind::Tries, _) => only(SortKey::Tries),
        (Kind::SignUpLink, _) => only(SortKey::SignUpLink),
        (Kind::ShortName, _) => only(SortKey::ShortName),
        (Kind::Suspended, _) => only(SortKey::Suspended),
        (Kind::Card, [user]) => Some(SortKey::Card(user.parse()?)),
        (Kind::Invitation, [invitation]) => Some(SortKey::Invitation(invitation.parse()?)),
        (Kind::Forgotten, [customer, user]) => {
            Some(SortKey::Forgotten(customer.parse()?, user.parse()?))
        }
        (Kind::Daily, [customer, user]) => Some(SortKey::Daily(customer.parse()?, user.parse()?)),
        (Kind::Invitee, [invitation]) => Some(SortKey::Invitee(invitation.parse()?)),
        (Kind::Member, [customer, user]) => Some(SortKey::Member(customer.parse()?, user.parse()?)),
        (Kind::Session, [hash]) => Some(SortKey::Session(None, (*hash).to_owned())),
        (Kind::Session, [user, hash]) => {
            Some(SortKey::Session(Some(user.parse()?), (*hash).to_owned()))
        }
        (Kind::User, [user]) => Some(SortKey::User(user.parse()?)),
        (Kind::Type, [name]) => Some(SortKey::Type(RecordType::from_stored((*name).to_owned()))),
        (Kind::Counter, [name]) => {
            Some(SortKey::Counter(RecordType::from_stored((*name).to_owned())))
        }
        (Kind::Word, [record]) => Some(SortKey::Word(Worded::record(record.parse()?))),
        (Kind::Word, [record, comment]) => {
            Some(SortKey::Word(Worded::comment(record.parse()?, comment.parse()?)))
        }
        (Kind::Unindexed, [millis, customer, of @ .., version]) => {
            let of = match of {
                [record] => Worded::record(record.parse()?),
                [record, comment] => Worded::comment(record.parse()?, comment.parse()?),
                _ => return Ok(None),
            };
            let (at, customer, version) = (time(millis)?, customer.parse()?, version.parse()?);
            Some(SortKey::Unindexed(Unindexed { at, customer, of, version }))
        }
        (Kind::Notice, [millis, record, reason, change]) => {
            let (at, record) = (time(millis)?, record.parse()?);
            let (reason, change) = (reason.parse()?, change.parse()?);
            Some(SortKey::Notice(NoticePlace { at, record, reason, change }))
        }
        (Kind::Followers, [record]) => Some(SortKey::Followers(record.parse()?)),
        (Kind::Record, [record]) => Some(SortKey::Record(record.parse()?)),
        (Kind::Appendix, [record, appendix]) => {
            Some(SortKey::Appendix(record.parse()?, appendix.parse()?))
        }
        (Kind::AppendixVersion, [record, appendix, number]) => {
            let number = number.parse().map_err(|_| unknown_key())?;
            let number = VersionNumber::from_stored(number);
            Some(SortKey::AppendixVersion(record.parse()?, appendix.parse()?, number))
        }
        (Kind::Comment, [record, comment]) => {
            Some(SortKey::Comment(record.parse()?, comment.parse()?))
        }
        (Kind::Revision, _) => {
            let (of, version) = rest.rsplit_once('#').ok_or_else(unknown_key)?;
            Some(SortKey::Revision(Box::new(of.parse()?), version.parse()?))
        }
        (Kind::Usage, [part]) => Some(SortKey::Usage(part.parse().map_err(|_| unknown_key())?)),
        (Kind::Lane, [lane]) => Some(SortKey::Lane(lane.parse().map_err(|_| unknown_key())?)),
        (Kind::Pointer, [number]) => {
            Some(SortKey::Pointer(number.parse().map_err(|_| unknown_key())?))
        }
        (Kind::Listed, [BY_CHANGE, millis, record]) => {
            Some(SortKey::ByChange(ChangeTime { at: time(millis)?, record: record.parse()? }))
        }
        (Kind::Token, [user, hash]) => Some(SortKey::Token(user.parse()?, (*hash).to_owned())),
        (Kind::Event, [millis, digest]) => {
            Some(SortKey::Event(format!("{millis}.{digest}").parse()?))
        }
        (Kind::Request, [user, key]) => Some(SortKey::Request(user.parse()?, key.parse()?)),
        (Kind::SignUp, [key]) => Some(SortKey::SignUp(key.parse()?)),
        (Kind::Verification, [run, job]) => {
            Some(SortKey::Verification(time(run)?, (*job).to_owned()))
        }
        (Kind::Link, [run, reason]) => Some(SortKey::Link(time(run)?, (*reason).to_owned())),
        (Kind::BackupRun, [millis]) => Some(SortKey::BackupRun(time(millis)?)),
        (Kind::Restore, [millis]) => Some(SortKey::Restore(time(millis)?)),
        (Kind::Reset, _) => name(SortKey::Reset),
        (Kind::Attempts, _) => name(SortKey::Attempts),
        (Kind::BackupJob, _) => name(SortKey::BackupJob),
        (Kind::Policy, _) => name(SortKey::Policy),
        (Kind::Crashes, _) => name(SortKey::Crashes),
        (Kind::Resolved, _) => name(SortKey::Resolved),
        (Kind::Deleted, _) => name(SortKey::Deleted),
        (
            Kind::User
            | Kind::Card
            | Kind::Invitation
            | Kind::Invitee
            | Kind::Member
            | Kind::Session
            | Kind::Type
            | Kind::Counter
            | Kind::Word
            | Kind::Unindexed
            | Kind::Notice
            | Kind::Daily
            | Kind::Record
            | Kind::Followers
            | Kind::Appendix
            | Kind::AppendixVersion
            | Kind::Comment
            | Kind::Usage
            | Kind::Lane
            | Kind::Pointer
            | Kind::Listed
            | Kind::Event
            | Kind::Token
            | Kind::Request
            | Kind::SignUp
            | Kind::Verification
            | Kind::Link
            | Kind::BackupRun
            | Kind::Restore
            | Kind::Forgotten,
            _,
        ) => None,
    })
}

pub(crate) fn time(millis: &str) -> Result<Timestamp, RuleError> {
    millis.parse().map(Timestamp::from_millis).map_err(|_| unknown_key())
}

pub(crate) fn unknown_key() -> RuleError {
    RuleError::new("is no sort key of ours")
}
