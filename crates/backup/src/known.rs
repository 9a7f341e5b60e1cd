//! What a table has at some keys, damaged or not.

use std::collections::HashMap;

use domain::Digest;
use store::operator::{ItemFacts, ScannedItem, Table};
use store::{RowKey, StoreError};

/// What a table has at a key.
pub struct KnownItem {
    pub digest: Digest,
    pub as_written: bool,
    /// Absent where it cannot be read.
    pub facts: Option<ItemFacts>,
}

/// What a table has at some keys, damaged things too.
pub async fn look_up(
    table: &Table,
    keys: impl Iterator<Item = RowKey>,
) -> Result<HashMap<RowKey, KnownItem>, StoreError> {
    let mut keys: Vec<RowKey> = keys.collect();
    keys.sort();
    keys.dedup();
    let found = table.look_up(&keys).await?;
    let known = found.into_iter().filter_map(|found| match found {
        ScannedItem::Lasting(it) | ScannedItem::Current(it) => {
            let (digest, as_written) = (it.digest, it.as_written);
            Some((it.key.clone(), KnownItem { digest, as_written, facts: Some(it) }))
        }
        ScannedItem::Unreadable { key, digest } => {
            Some((key, KnownItem { digest, as_written: false, facts: None }))
        }
        ScannedItem::Unproven => None,
    });
    Ok(known.collect())
}
