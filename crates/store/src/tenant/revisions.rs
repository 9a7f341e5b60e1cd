//! The history of a record.

use domain::{Record, RecordId, Revision, Version};

use super::{Ask, Reader};
use crate::StoreError;
use crate::items;
use crate::keys::{self, SortKey};

/// The revisions of one record, the newest first. The history of a deleted record stays.
pub struct ListRevisions {
    pub record: RecordId,
    /// From 1 to [`crate::PAGE_ITEMS_MAX`].
    pub limit: u16,
    /// Only revisions with a lower version than this.
    pub before: Option<Version>,
}

#[derive(Debug)]
pub struct RevisionPage {
    pub revisions: Vec<Revision<Record>>,
    /// Where the next page starts; `None` at the end.
    pub next_before: Option<Version>,
}

impl Ask for ListRevisions {
    type Answer = RevisionPage;

    async fn ask(self, reader: Reader<'_>) -> Result<RevisionPage, StoreError> {
        let partition = keys::customer_partition(reader.customer.id());
        let of = SortKey::Record(self.record);
        let start =
            self.before.map(|version| items::key(&partition, &of.clone().revision(version)));
        let answer = reader
            .query(&keys::revisions_prefix(&of))
            .scan_index_forward(false)
            .limit(i32::from(self.limit))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        let more = answer.last_evaluated_key.is_some();
        let revisions = answer
            .items
            .unwrap_or_default()
            .iter()
            .map(items::read_revision)
            .collect::<Result<Vec<Revision<Record>>, _>>()?;
        let last = revisions.last().map(|revision| revision.version);
        // Version 1 is the end, whatever the database thinks of the limit.
        let next_before = last.filter(|version| more && *version > Version::FIRST);
        Ok(RevisionPage { revisions, next_before })
    }
}
