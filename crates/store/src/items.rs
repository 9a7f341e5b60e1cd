//! The stored form of things: attribute names and the mapping between items and domain types. It
//! is apart from the domain types because renaming a Rust field must not change stored data.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{CustomerId, Digest, Revision, Timestamp, UnknownMembers, UserId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::keys::{self, SortKey};
use crate::{RowKey, StoreError, content};

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) const PARTITION: &str = "pk";
pub(crate) const SORT: &str = "sk";
pub(crate) const VERSION: &str = "version";
pub(crate) const DELETED: &str = "deleted";
/// Seconds since 1970: the tables' time-to-live attribute. Deletion may come days late.
pub(crate) const EXPIRES_AT: &str = "expires_at";
pub(crate) const CREATED_AT: &str = "created_at_ms";
pub(crate) const CREATED_BY: &str = "created_by";
pub(crate) const CHANGED_AT: &str = "changed_at_ms";
pub(crate) const CHANGED_BY: &str = "changed_by";
pub(crate) const CONTENT: &str = "content";
pub(crate) const DIGEST: &str = "digest";
/// So many attributes has what [`revision_pair`] makes; `deleted` is one more.
pub(crate) const REVISION_ATTRIBUTES: usize = 9;
/// Who has erased a thing, in its row of the ledger.
pub(crate) const ERASED_BY: &str = "erased_by";
/// When a row of the ledger was written.
pub(crate) const NOTED_AT: &str = "noted_at_ms";

/// Whose a login or a session is.
pub(crate) const CUSTOMER_ID: &str = "customer_id";
pub(crate) const USER_ID: &str = "user_id";
pub(crate) const LOGIN_ID: &str = "login_id";
pub(crate) const PASSWORD_HASH: &str = "password_hash";
/// Whether nobody works at a customer for now.
pub(crate) const SUSPENDED: &str = "suspended";
/// Of a login of an earlier release: it belongs to more companies than the one that it names.
pub(crate) const JOINED: &str = "joined";
/// As much of a restore as anyone may know.
pub(crate) const VIEW: &str = "view";

/// What a customer keeps.
pub(crate) const BYTES: &str = "bytes";
pub(crate) const VERSIONS: &str = "versions";
pub(crate) const RECORDS: &str = "records";
/// How many numbers were given.
pub(crate) const COUNT: &str = "given";

pub(crate) fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn key(partition: &str, sort: &SortKey) -> Item {
    key_of(partition, sort)
}

/// Of a place where there may be no item.
pub(crate) fn key_of(partition: &str, sort: impl ToString) -> Item {
    HashMap::from([(PARTITION.to_owned(), text(partition)), (SORT.to_owned(), text(sort))])
}

/// The two items of one change: the thing as it is now, and the revision that stays.
pub(crate) fn revision_pair<T: Serialize>(
    partition: &str,
    sort: &SortKey,
    revision: &Revision<T>,
) -> (Item, Item) {
    let content = content::write(&revision.content, &revision.unknown);
    written_pair(partition, sort, revision, content)
}

/// The two items of a change whose content is in the form that it is stored in, with all of its members.
pub(crate) fn written_pair<T>(
    partition: &str,
    sort: &SortKey,
    revision: &Revision<T>,
    content: String,
) -> (Item, Item) {
    let digest = revision.digest(&format!("{partition}/{sort}"), &content);
    let mut item = key(partition, sort);
    item.insert(VERSION.to_owned(), number(revision.version));
    item.insert(CREATED_AT.to_owned(), number(revision.created_at.millis()));
    item.insert(CREATED_BY.to_owned(), text(revision.created_by));
    item.insert(CHANGED_AT.to_owned(), number(revision.changed_at.millis()));
    item.insert(CHANGED_BY.to_owned(), text(revision.changed_by));
    if revision.deleted {
        item.insert(DELETED.to_owned(), AttributeValue::Bool(true));
    }
    item.insert(CONTENT.to_owned(), text(content));
    item.insert(DIGEST.to_owned(), text(digest));
    let mut immutable = item.clone();
    let sort = sort.clone().revision(revision.version);
    immutable.insert(SORT.to_owned(), text(sort));
    (item, immutable)
}

/// The row of the ledger that is written with a tombstone.
pub(crate) fn erasure_item(
    customer: CustomerId,
    thing: &SortKey,
    by: UserId,
    at: Timestamp,
) -> Item {
    let mut item = key(&keys::erased_partition(customer), thing);
    item.insert(ERASED_BY.to_owned(), text(by));
    item.insert(NOTED_AT.to_owned(), number(at.millis()));
    item
}

/// Reads what [`revision_pair`] wrote, from either of its items.
pub(crate) fn read_revision<T: DeserializeOwned>(item: &Item) -> Result<Revision<T>, StoreError> {
    let fields = Fields(item);
    let written = read_written(fields)?;
    let (content, unknown) = content::read(written.content)
        .map_err(|_| fields.damaged("content does not fit its kind"))?;
    Ok(written.with(content, unknown))
}

/// Reads a revision and leaves its content in the form that it is stored in, with all of its members.
pub(crate) fn read_written(fields: Fields<'_>) -> Result<Revision<&str>, StoreError> {
    Ok(Revision {
        version: fields.parse(VERSION)?,
        created_at: fields.time(CREATED_AT)?,
        created_by: fields.parse(CREATED_BY)?,
        changed_at: fields.time(CHANGED_AT)?,
        changed_by: fields.parse(CHANGED_BY)?,
        deleted: matches!(fields.0.get(DELETED), Some(AttributeValue::Bool(true))),
        content: fields.text(CONTENT)?,
        unknown: UnknownMembers::default(),
    })
}

/// A digest of every attribute there is.
pub(crate) fn digest(item: &Item) -> Digest {
    let shown = |value: &AttributeValue| match value {
        AttributeValue::S(text) => format!("S {text}"),
        AttributeValue::N(number) => format!("N {number}"),
        AttributeValue::Bool(truth) => format!("BOOL {truth}"),
        // None of ours.
        other => format!("{other:?}"),
    };
    let mut attributes: Vec<String> =
        item.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect();
    attributes.sort();
    let parts: Vec<&[u8]> = attributes.iter().map(String::as_bytes).collect();
    Digest::of(&parts)
}

/// Reads attributes, and says of which item where one is not as written.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a Item);

impl<'a> Fields<'a> {
    pub(crate) fn text(&self, name: &'static str) -> Result<&'a str, StoreError> {
        match self.0.get(name) {
            Some(AttributeValue::S(value) | AttributeValue::N(value)) => Ok(value),
            _ => Err(self.damaged(name)),
        }
    }

    pub(crate) fn parse<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, StoreError> {
        self.text(name)?.parse().map_err(|_| self.damaged(name))
    }

    pub(crate) fn time(&self, name: &'static str) -> Result<Timestamp, StoreError> {
        self.parse(name).map(Timestamp::from_millis)
    }

    pub(crate) fn sort_key(&self) -> Result<SortKey, StoreError> {
        self.parse(SORT)
    }

    pub(crate) fn key(&self) -> Result<RowKey, StoreError> {
        let text = |name| self.text(name).map(str::to_owned);
        Ok(RowKey { partition: text(PARTITION)?, sort: text(SORT)? })
    }

    pub(crate) fn damaged(&self, what: &'static str) -> StoreError {
        let part = |name| self.text(name).unwrap_or("?");
        let key = format!("{}/{}", part(PARTITION), part(SORT));
        StoreError::Damaged { key, what }
    }
}

#[cfg(test)]
mod tests {
    use domain::{CustomerId, Record, RecordId, UserId};

    use super::*;

    fn record(title: &str) -> Record {
        let json = serde_json::json!({"type": "deviation", "title": title, "fields": {"n": 1}});
        serde_json::from_value(json).unwrap()
    }

    fn shown(item: &Item) -> String {
        let mut lines: Vec<String> =
            item.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        lines.sort();
        lines.join("\n")
    }

    #[test]
    fn the_stored_form_of_a_revision_does_not_change_unnoticed() {
        let user = UserId::from_bytes([1; 16]);
        let partition = CustomerId::from_bytes([9; 16]).to_string();
        let sort = SortKey::Record(RecordId::from_bytes([2; 16]));
        let first = Revision::first(record("Crack"), user, Timestamp::from_millis(5));
        let end = first.tombstone(user, Timestamp::from_millis(6));
        let (item, revision) = revision_pair(&partition, &sort, &end);
        insta::assert_snapshot!(format!("{}\n\n{}", shown(&item), shown(&revision)));
        for stored in [item, revision] {
            assert_eq!(stored.len(), REVISION_ATTRIBUTES + 1);
            assert_eq!(read_revision::<Record>(&stored).unwrap(), end);
        }
    }

    #[test]
    fn a_damaged_item_is_named_and_its_content_is_not_shown() {
        let mut item = key("P", &SortKey::Customer);
        item.insert(VERSION.to_owned(), text("secret"));
        let error = read_revision::<Record>(&item).unwrap_err().to_string();
        assert_eq!(error, "a stored item cannot be read: version at P/CUSTOMER");
    }
}
