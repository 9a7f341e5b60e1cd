//! The order of lists, in a table of its own: where a record stands among all others. Each change of a record moves
//! it, in the transaction of the change. The index is in no backup and in no proof, for it can be made again.

use std::fmt;
use std::str::FromStr;

use domain::{
    CustomerId, Name, Record, RecordId, RecordType, Revision, RuleError, Timestamp, UserId,
};

use crate::Tables;
use crate::items::{self, Item};
use crate::keys::{self, SortKey, time, unknown_key};

/// Which lists there are. An index that an earlier release has made lacks some of them.
pub(crate) const INDEX_RULE: u32 = 3;

/// When a record was changed, or is due: its place among all records of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangeTime {
    pub at: Timestamp,
    pub record: RecordId,
}

impl fmt::Display for ChangeTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.millis(), self.record)
    }
}

impl FromStr for ChangeTime {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (millis, record) = text.split_once('.').ok_or_else(unknown_key)?;
        let at = time(millis)?;
        // Keys have no other times.
        if in_keys(at) != at {
            return Err(unknown_key());
        }
        Ok(Self { at, record: record.parse()? })
    }
}

/// Whether a record is in an open state. One that is not may be closed, or of a type without states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Open,
    NotOpen,
}

impl Standing {
    pub const ALL: [Self; 2] = [Self::Open, Self::NotOpen];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::NotOpen => "rest",
        }
    }

    /// Of a record.
    pub fn of(record: &Record) -> Self {
        if record.open == Some(true) { Self::Open } else { Self::NotOpen }
    }
}

/// A list that records stand in, by their newest change; but for what is due, which is by its day, and what is closed,
/// which is by when it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum List {
    /// All records.
    Changed,
    /// Those in an open state.
    Open,
    Type(RecordType, Standing),
    State(RecordType, Name),
    Assignee(UserId, Standing),
    About(RecordId, Standing),
    /// Those in an open state that nobody is assigned to.
    Unassigned,
    /// Those that have a day and are not closed.
    Due,
    /// Those in a state that is not open.
    Closed,
}

/// Where a record stands in one list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) list: List,
    pub(crate) at: ChangeTime,
}

impl Place {
    /// The item that says so: its key says all.
    pub(crate) fn item(&self, tables: &Tables, customer: CustomerId) -> Item {
        let partition = keys::list_partition(&tables.restored_as, customer, &self.list);
        items::key(&partition, &SortKey::ByChange(self.at))
    }
}

/// Where a record stands; a deleted one is in no list.
pub(crate) fn places_of(id: RecordId, revision: &Revision<Record>) -> Vec<Place> {
    if revision.deleted {
        return Vec::new();
    }
    let record = &revision.content;
    let standing = Standing::of(record);
    let mut lists = vec![List::Changed, List::Type(record.record_type.clone(), standing)];
    if standing == Standing::Open {
        lists.push(List::Open);
        if record.assignees.is_empty() {
            lists.push(List::Unassigned);
        }
    }
    lists.extend(record.state.iter().map(|it| List::State(record.record_type.clone(), it.clone())));
    lists.extend(record.assignees.iter().map(|who| List::Assignee(*who, standing)));
    lists.extend(record.about.map(|thing| List::About(thing, standing)));
    let at = ChangeTime { at: revision.changed_at, record: id };
    let mut places: Vec<Place> = lists.into_iter().map(|list| Place { list, at }).collect();
    if let Some(due) = record.due.as_ref().filter(|_| record.open != Some(false)) {
        places.push(Place {
            list: List::Due,
            at: ChangeTime { at: in_keys(due.start()), record: id },
        });
    }
    // A release that knows no such time leaves it in a record that it opens again.
    if let Some(closed_at) = record.closed_at.filter(|_| record.open == Some(false)) {
        let at = ChangeTime { at: in_keys(closed_at), record: id };
        places.push(Place { list: List::Closed, at });
    }
    places
}

/// The latest time that sorts as text with thirteen digits: of the year 2286.
const LATEST: i64 = 9_999_999_999_999;

/// A time as keys have it: they sort as text, and have neither negative numbers nor more digits.
pub(crate) fn in_keys(time: Timestamp) -> Timestamp {
    Timestamp::from_millis(time.millis().clamp(0, LATEST))
}

/// The places of a list from a time on and before another one.
pub(crate) fn range(from: Option<Timestamp>, until: Option<Timestamp>) -> (String, String) {
    // A digit is below a tilde; a time alone is below all places of it. None is behind the latest.
    let bound = |time: Option<Timestamp>, none: &str| match time {
        Some(time) if in_keys(time) == time => {
            format!("{}{:013}", keys::BY_CHANGE_PREFIX, time.millis())
        }
        _ => format!("{}{none}", keys::BY_CHANGE_PREFIX),
    };
    (bound(from.map(in_keys), "0"), bound(until.map(end_in_keys), "~"))
}

/// What stands in a key behind all times that are before `time`.
fn end_in_keys(time: Timestamp) -> Timestamp {
    Timestamp::from_millis(time.millis().max(1))
}
