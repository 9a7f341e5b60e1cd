//! What people are told: that a record is theirs to work on, that somebody has mentioned them, and what others have
//! changed or said of a record that they made or work on. Each change tells them in its own transaction. A notice is
//! derived, as the index is, in which it is; it goes after some months.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use domain::{
    Comment, CommentId, CustomerId, Record, RecordId, Revision, RuleError, Timestamp, UserId,
    Version,
};
use serde::{Deserialize, Serialize};

use crate::followers::Followers;
use crate::index;
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey, time, unknown_key};
use crate::{StoreError, Tables};

/// So long somebody is told.
pub(crate) const NOTICES_KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// So many people are told of one change: the rest of its transaction has to fit too.
const TOLD_MAX: usize = 36;

/// Who has done it.
const BY: &str = "by";
/// That it was read.
pub(crate) const READ: &str = "read";

/// Why somebody is told of a record: the first of these that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// They are to work on it from now on.
    Assigned,
    /// Somebody has mentioned them.
    Mentioned,
    /// Somebody has said something about a record that they follow: they made it, are to work on it, or chose to be told.
    Commented,
    /// Somebody has changed such a record.
    Changed,
}

impl Reason {
    const ALL: [Self; 4] = [Self::Assigned, Self::Mentioned, Self::Commented, Self::Changed];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Mentioned => "mentioned",
            Self::Commented => "commented",
            Self::Changed => "changed",
        }
    }
}

impl FromStr for Reason {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        Self::ALL.into_iter().find(|it| it.name() == text).ok_or_else(unknown_key)
    }
}

/// Where a notice stands among those of one person. It is its id too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoticePlace {
    pub at: Timestamp,
    pub record: RecordId,
    pub reason: Reason,
    pub change: Change,
}

/// What somebody is told of: two changes of one record can be of the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// The record came to this version.
    Version(Version),
    /// This was said.
    Comment(CommentId),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(f),
            Self::Comment(comment) => comment.fmt(f),
        }
    }
}

impl FromStr for Change {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        text.parse().map(Self::Comment).or_else(|_| text.parse().map(Self::Version))
    }
}

impl fmt::Display for NoticePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, record, reason, change } = self;
        write!(f, "{}.{record}.{}.{change}", at.millis(), reason.name())
    }
}

impl FromStr for NoticePlace {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let parts: Vec<&str> = text.split('.').collect();
        let [millis, record, reason, change] = parts[..] else { return Err(unknown_key()) };
        let (at, record) = (time(millis)?, record.parse()?);
        let place = Self { at, record, reason: reason.parse()?, change: change.parse()? };
        // One notice has one id, and its key one length.
        let is_written_so = place.to_string() == text && index::in_keys(at) == at;
        if is_written_so { Ok(place) } else { Err(unknown_key()) }
    }
}

/// What somebody is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub place: NoticePlace,
    /// Who has done it.
    pub by: UserId,
    pub read: bool,
}

impl Notice {
    pub(crate) fn read(item: &Item) -> Result<Self, StoreError> {
        let fields = Fields(item);
        let SortKey::Notice(place) = fields.sort_key()? else {
            return Err(fields.damaged("a notice's key"));
        };
        Ok(Self { place, by: fields.parse(BY)?, read: item.contains_key(READ) })
    }

    fn item(&self, key: Item) -> Item {
        let mut item = key;
        item.insert(BY.to_owned(), items::text(self.by));
        let expires_at = self.place.at.after(NOTICES_KEPT).seconds();
        item.insert(items::EXPIRES_AT.to_owned(), items::number(expires_at));
        item
    }
}

/// The key of somebody's notice.
pub(crate) fn key(tables: &Tables, customer: CustomerId, who: UserId, at: NoticePlace) -> Item {
    let partition = keys::inbox_partition(&tables.restored_as, customer, who);
    items::key(&partition, &SortKey::Notice(at))
}

/// What a change tells, and whom.
#[derive(Default)]
pub(crate) struct Notices(Vec<(UserId, Notice)>);

impl Notices {
    /// Of a change of a record. What was deleted cannot be looked at: nobody is told.
    pub(crate) fn of_record(
        id: RecordId,
        before: Option<&Revision<Record>>,
        after: &Revision<Record>,
        followers: &Followers,
    ) -> Self {
        let mut told = Self::default();
        if after.deleted {
            return told;
        }
        let known = before.map(|it| it.content.assignees.as_slice()).unwrap_or_default();
        let new = after.content.assignees.iter().filter(|who| !known.contains(who));
        new.for_each(|who| {
            told.tell(*who, Reason::Assigned, id, after, Change::Version(after.version))
        });
        if before.is_some() {
            let followers = followers.all(after);
            followers.for_each(|who| {
                told.tell(who, Reason::Changed, id, after, Change::Version(after.version))
            });
        }
        told
    }

    /// Of what somebody says about a record.
    pub(crate) fn of_comment(
        (id, record): (RecordId, &Revision<Record>),
        comment: CommentId,
        before: Option<&Revision<Comment>>,
        after: &Revision<Comment>,
        followers: &Followers,
    ) -> Self {
        let mut told = Self::default();
        if after.deleted {
            return told;
        }
        let said = Change::Comment(comment);
        let known = before.map(|it| it.content.mentions.as_slice()).unwrap_or_default();
        let new = after.content.mentions.iter().filter(|who| !known.contains(who));
        new.for_each(|who| told.tell(*who, Reason::Mentioned, id, after, said));
        if before.is_none() {
            let followers = followers.all(record);
            followers.for_each(|who| told.tell(who, Reason::Commented, id, after, said));
        }
        told
    }

    /// Tells somebody who is not told already, and has not done it themselves.
    fn tell<T>(
        &mut self,
        who: UserId,
        reason: Reason,
        record: RecordId,
        of: &Revision<T>,
        change: Change,
    ) {
        let is_new = !self.0.iter().any(|(told, _)| *told == who);
        if who != of.changed_by && is_new && self.0.len() < TOLD_MAX {
            let place = NoticePlace { at: of.changed_at, record, reason, change };
            self.0.push((who, Notice { place, by: of.changed_by, read: false }));
        }
    }

    pub(crate) fn items(self, tables: &Tables, customer: CustomerId) -> impl Iterator<Item = Item> {
        let told = self.0.into_iter();
        told.map(move |(who, it)| it.item(key(tables, customer, who, it.place)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: RecordId = RecordId::from_bytes([2; 16]);

    fn person(n: u8) -> UserId {
        UserId::from_bytes([n; 16])
    }

    fn record(assignees: &[u8]) -> Record {
        let assignees: Vec<UserId> = assignees.iter().map(|n| person(*n)).collect();
        let json = serde_json::json!({ "type": "note", "title": "x", "assignees": assignees });
        serde_json::from_value(json).unwrap()
    }

    fn told(notices: &Notices) -> Vec<(u8, Reason)> {
        notices.0.iter().map(|(who, it)| (who.to_bytes()[0], it.place.reason)).collect()
    }

    #[test]
    fn who_is_to_work_on_a_record_is_told_and_nobody_is_told_what_they_did() {
        let (at, nobody) = (Timestamp::from_millis, Followers::default());
        let first = Revision::first(record(&[1, 2]), person(1), at(1));
        assert_eq!(told(&Notices::of_record(ID, None, &first, &nobody)), [(2, Reason::Assigned)]);
        let second = first.changed(record(&[2, 3]), person(2), at(2));
        let all = [(3, Reason::Assigned), (1, Reason::Changed)];
        assert_eq!(told(&Notices::of_record(ID, Some(&first), &second, &nobody)), all);
        let gone = second.tombstone(person(2), at(3));
        assert_eq!(told(&Notices::of_record(ID, Some(&second), &gone, &nobody)), []);
    }

    #[test]
    fn who_is_mentioned_is_told_once_and_others_that_something_was_said() {
        let (at, nobody) = (Timestamp::from_millis, Followers::default());
        let of = Revision::first(record(&[2, 3]), person(1), at(1));
        let says = |mentions: &[u8]| {
            let mentions: Vec<UserId> = mentions.iter().map(|n| person(*n)).collect();
            serde_json::from_value(serde_json::json!({ "text": "Look", "mentions": mentions }))
        };
        let id = CommentId::from_bytes([5; 16]);
        let first = Revision::first(says(&[3, 4]).unwrap(), person(2), at(2));
        let all = [(3, Reason::Mentioned), (4, Reason::Mentioned), (1, Reason::Commented)];
        assert_eq!(told(&Notices::of_comment((ID, &of), id, None, &first, &nobody)), all);
        let second = first.changed(says(&[3, 5]).unwrap(), person(2), at(3));
        let new = Notices::of_comment((ID, &of), id, Some(&first), &second, &nobody);
        assert_eq!(told(&new), [(5, Reason::Mentioned)]);
    }

    #[test]
    fn a_place_is_read_as_it_is_written_and_nothing_else_is_one() {
        let at = Timestamp::from_millis(7);
        for change in
            [Change::Version(Version::FIRST), Change::Comment(CommentId::from_bytes([5; 16]))]
        {
            let place = NoticePlace { at, record: ID, reason: Reason::Changed, change };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        let id = ID.to_string();
        for bad in [
            "",
            "7",
            &format!("7.{id}.changed"),
            &format!("07.{id}.changed.1"),
            &format!("7.{id}.no.1"),
            &format!("7.{id}.changed.0"),
            &format!("7.{id}.changed.01"),
            &format!("10000000000000.{id}.changed.1"),
        ] {
            assert!(bad.parse::<NoticePlace>().is_err(), "{bad}");
        }
    }
}
