//! Where an item is, whatever it is.

use crate::items::{self, Item};

/// Partition and sort key of an item.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey {
    pub(crate) partition: String,
    pub(crate) sort: String,
}

impl std::fmt::Display for RowKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.partition, self.sort)
    }
}

impl RowKey {
    pub(crate) fn item(&self) -> Item {
        Item::from([
            (items::PARTITION.to_owned(), items::text(&self.partition)),
            (items::SORT.to_owned(), items::text(&self.sort)),
        ])
    }
}
