//! Where an item is, whatever it is.

use serde::{Deserialize, Serialize};

use crate::TableKind;
use crate::items::{self, Item};
use crate::keys::{self, SortKey};

/// Partition and sort key of an item.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// Where the ledger says that the thing here was erased.
    pub fn erasure(&self) -> Self {
        let partition = format!("{}{}", keys::ERASED_PREFIX, self.partition);
        Self { partition, sort: self.sort.clone() }
    }

    /// The table that what is here lives in; `None`: nothing of ours has such a key.
    pub fn home(&self) -> Option<TableKind> {
        self.sort.parse::<SortKey>().ok().map(|sort| sort.kind().home())
    }

    pub(crate) fn item(&self) -> Item {
        Item::from([
            (items::PARTITION.to_owned(), items::text(&self.partition)),
            (items::SORT.to_owned(), items::text(&self.sort)),
        ])
    }
}
