//! The order of lists, in a table of its own: where a record stands among all others. Each change of a record moves
//! it, in the transaction of the change. The index is in no backup and in no proof, for it can be made again.

use std::fmt;
use std::str::FromStr;

use domain::{CustomerId, RecordId, Revision, RuleError, Timestamp};

use crate::Tables;
use crate::items::{self, Item};
use crate::keys::{self, SortKey, time, unknown_key};

/// When a record was changed: its place among all records of its customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        Ok(Self { at: time(millis)?, record: record.parse()? })
    }
}

/// Where a record stands in the list of records by their newest change; a deleted one is in no list.
pub(crate) fn place_of<T>(id: RecordId, revision: &Revision<T>) -> Option<ChangeTime> {
    (!revision.deleted).then_some(ChangeTime { at: revision.changed_at, record: id })
}

/// The item that says so: its key says all.
pub(crate) fn place(tables: &Tables, customer: CustomerId, place: ChangeTime) -> Item {
    let partition = keys::index_partition(&tables.restored_as, customer);
    items::key(&partition, &SortKey::ByChange(place))
}
