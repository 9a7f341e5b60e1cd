//! Reading everything, for backups and nothing else: all revisions, whoever's they are.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{CustomerId, Digest, Revision, Timestamp};

use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::{Store, StoreError};

/// The tables that keep revisions. The others hold what passes, and password hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Records,
    Accounts,
}

impl Kept {
    pub const ALL: [Self; 2] = [Self::Records, Self::Accounts];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Accounts => "accounts",
        }
    }
}

/// One of the parts that a table is read in at the same time.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    pub index: u32,
    pub of: u32,
}

/// One revision, as far as a backup looks at it.
#[derive(Clone, Debug)]
pub struct StoredRevision {
    pub customer: CustomerId,
    /// Its partition and sort key.
    pub key: String,
    pub changed_at: Timestamp,
    /// Of what is there now, not of what was written.
    pub digest: Digest,
    /// The two are the same.
    pub as_written: bool,
}

/// What is found where a revision should be.
#[derive(Clone, Debug)]
pub enum Found {
    Revision(StoredRevision),
    /// Something that lacks what a revision has.
    Unreadable {
        key: String,
        /// Of all its attributes.
        digest: Digest,
    },
}

impl Store {
    /// Hands every revision of one segment to `each`, damaged ones too; only a failing database ends
    /// the reading.
    pub async fn scan_revisions(
        &self,
        table: Kept,
        segment: Segment,
        mut each: impl FnMut(Found),
    ) -> Result<(), StoreError> {
        let table = match table {
            Kept::Records => &self.tables.records,
            Kept::Accounts => &self.tables.accounts,
        };
        let number = |n: u32| i32::try_from(n).map_err(StoreError::unavailable);
        let mut pages = self
            .dynamo
            .scan()
            .table_name(table)
            .consistent_read(true)
            .segment(number(segment.index)?)
            .total_segments(number(segment.of)?)
            .filter_expression("begins_with(#sk, :revision)")
            .expression_attribute_names("#sk", items::SORT)
            .expression_attribute_values(":revision", items::text(keys::REVISION_PREFIX))
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(StoreError::unavailable)?;
            page.items().iter().map(found).for_each(&mut each);
        }
        Ok(())
    }
}

fn found(item: &Item) -> Found {
    if let Ok(revision) = read(item) {
        return Found::Revision(revision);
    }
    let text = |name| Fields(item).text(name).unwrap_or("?");
    let mut attributes: Vec<String> =
        item.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    attributes.sort();
    let parts: Vec<&[u8]> = attributes.iter().map(String::as_bytes).collect();
    Found::Unreadable {
        key: format!("{}/{}", text(items::PARTITION), text(items::SORT)),
        digest: Digest::of(&parts),
    }
}

fn read(item: &Item) -> Result<StoredRevision, StoreError> {
    let fields = Fields(item);
    let (partition, sort) = (fields.text(items::PARTITION)?, fields.text(items::SORT)?);
    let SortKey::Revision(of, version) = fields.sort_key()? else {
        return Err(fields.damaged(items::SORT));
    };
    let revision: Revision<()> = Revision {
        version: fields.parse(items::VERSION)?,
        created_at: fields.time(items::CREATED_AT)?,
        created_by: fields.parse(items::CREATED_BY)?,
        changed_at: fields.time(items::CHANGED_AT)?,
        changed_by: fields.parse(items::CHANGED_BY)?,
        deleted: matches!(item.get(items::DELETED), Some(AttributeValue::Bool(true))),
        content: (),
    };
    let digest = revision.digest(&format!("{partition}/{of}"), fields.text(items::CONTENT)?);
    Ok(StoredRevision {
        customer: fields.parse(items::PARTITION)?,
        key: format!("{partition}/{sort}"),
        changed_at: revision.changed_at,
        as_written: revision.version == version
            && fields.text(items::DIGEST)? == digest.to_string(),
        digest,
    })
}
