//! What a customer keeps, in figures: counted in one of a few items, so that writers do not wait for each other.

use domain::CustomerId;
use serde::{Deserialize, Serialize};

use crate::items::{self, Item};
use crate::keys::{self, SortKey};

/// So many items count, beside the one that has what was there before.
pub(crate) const PARTS: u8 = 4;

/// What is kept, or may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Of appendix versions, from when they are reserved: what was stored is kept for good.
    pub bytes: u64,
    /// Appendix versions.
    pub versions: u64,
    /// Records that are not deleted.
    pub records: u64,
}

/// What a customer may keep where nobody has said anything else: 20 GiB, and more files and records than a
/// workshop makes in years.
pub const QUOTA: Usage =
    Usage { bytes: 20 * 1024 * 1024 * 1024, versions: 50_000, records: 200_000 };

/// A change of what is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    pub bytes: i64,
    pub versions: i64,
    pub records: i64,
}

impl Growth {
    /// One appendix version of so many bytes.
    pub fn version(bytes: u64) -> Self {
        Self { bytes: i64::try_from(bytes).unwrap_or(i64::MAX), versions: 1, records: 0 }
    }

    pub const RECORD: Self = Self { bytes: 0, versions: 0, records: 1 };
    pub const RECORD_DELETED: Self = Self { bytes: 0, versions: 0, records: -1 };
}

/// The key of the item that counts a thing, by a byte of its id that is as good as random.
pub(crate) fn part_of(customer: CustomerId, byte: u8) -> Item {
    items::key(&keys::customer_partition(customer), &SortKey::Usage(byte % PARTS))
}
