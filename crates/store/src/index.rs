//! The order of lists, in a table of its own: where a record stands among all others. Each change of a record moves
//! it, in the transaction of the change. The index is in no backup and in no proof, for it can be made again.

use domain::{CustomerId, RecordId, Revision};

use crate::Tables;
use crate::items::{self, Item};
use crate::keys::{self, ChangeTime, SortKey};

/// Where a record stands in the list of records by their newest change; a deleted one is in no list.
pub(crate) fn place_of<T>(id: RecordId, revision: &Revision<T>) -> Option<ChangeTime> {
    (!revision.deleted).then_some(ChangeTime { at: revision.changed_at, record: id })
}

/// The item that says so: its key says all.
pub(crate) fn place(tables: &Tables, customer: CustomerId, place: ChangeTime) -> Item {
    let partition = keys::index_partition(&tables.restored_as, customer);
    items::key(&partition, &SortKey::ByChange(place))
}
