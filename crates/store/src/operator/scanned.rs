//! What an item turns out to be when everything is read: each kind of key says what becomes of it, and
//! that says how it counts.

#![deny(clippy::wildcard_enum_match_arm)]

use domain::{AppendixVersion, CustomerId, Digest, Timestamp, UploadState, UserId, Version};

use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::{
    Announced, Kind, Nature, ObjectKey, RowKey, StoreError, TableKind, UserProfile, begun_with,
    content,
};

/// What an item turns out to be.
#[derive(Clone, Debug)]
pub enum ScannedItem {
    /// Written once and never again: a revision, a row of the ledger, a login.
    Lasting(ItemFacts),
    /// A thing as it is now.
    Current(ItemFacts),
    /// In no proof: it passes, or can be made again.
    Unproven,
    /// Something that lacks what such an item has, or that does not belong here.
    Unreadable {
        key: RowKey,
        /// Of all its attributes.
        digest: Digest,
    },
}

/// What a proof has to know of an item.
#[derive(Clone, Debug)]
pub struct ItemFacts {
    /// `partition/sort`: of the thing itself, or of the thing that a revision is of.
    pub thing: String,
    /// Where this very item is: the same, but of a revision.
    pub key: RowKey,
    pub customer: Option<CustomerId>,
    /// Absent where a thing has no versions.
    pub version: Option<Version>,
    /// Absent where it is not known: of a login.
    pub changed_at: Option<Timestamp>,
    /// Of what is there now, not of what was written. A revision and the thing at that revision
    /// have the same one.
    pub digest: Digest,
    /// The two are the same.
    pub as_written: bool,
    /// The thing that this says was erased: of a tombstone, the thing itself; of a row of the ledger,
    /// the one that it is about.
    pub erased: Option<Erased>,
    /// What has to be in another store too, because this is here.
    pub counterpart: Option<Counterpart>,
    /// Where the revision is, in another table, that this is here for: of a login, its user's.
    pub reason: Option<RowKey>,
    /// Of an appendix version as it is now, whose bytes nobody has noted: where they would be, and the digest
    /// of key, size and hash that they would have.
    pub awaits: Option<(Announced, Digest)>,
}

/// That something was erased.
#[derive(Clone, Debug)]
pub struct Erased {
    /// Where the thing itself is.
    pub thing: RowKey,
    pub by: UserId,
}

/// Something in another store that a revision stands for.
#[derive(Clone, Debug)]
pub enum Counterpart {
    /// The bytes of a stored appendix version: an object's key, and the digest of key, size and
    /// hash.
    Object { key: Announced, digest: Digest },
    /// The login of a user: its key, and the digest of key, customer and user.
    Login { key: RowKey, digest: Digest },
}

impl ItemFacts {
    /// Where a revision of the same thing is.
    pub fn revision(&self, version: Version) -> RowKey {
        let (partition, sort) = self.thing.split_once('/').unwrap_or((&self.thing, ""));
        let sort = format!("{}{sort}#{:010}", keys::REVISION_PREFIX, version.get());
        RowKey { partition: partition.to_owned(), sort }
    }

    /// Where the thing itself is.
    pub fn current(&self) -> RowKey {
        let (partition, sort) = self.thing.split_once('/').unwrap_or((&self.thing, ""));
        RowKey { partition: partition.to_owned(), sort: sort.to_owned() }
    }
}

/// Says what an item of this table is.
pub(super) fn scanned(table: TableKind, item: &Item) -> ScannedItem {
    let fields = Fields(item);
    let text = |name| fields.text(name).unwrap_or("?").to_owned();
    read(table, fields).unwrap_or_else(|_| ScannedItem::Unreadable {
        key: RowKey { partition: text(items::PARTITION), sort: text(items::SORT) },
        digest: items::digest(item),
    })
}

fn read(table: TableKind, fields: Fields<'_>) -> Result<ScannedItem, StoreError> {
    let sort = fields.sort_key()?;
    let kind = sort.kind();
    if table == TableKind::Ledger && is_erasure(fields)? {
        // Its sort key is that of what was erased.
        return match kind.nature() {
            Nature::Revised => row(fields).map(ScannedItem::Lasting),
            Nature::Lasting | Nature::Derived | Nature::Transient => {
                Err(fields.damaged(items::SORT))
            }
        };
    }
    if !kind.lives_in(table) {
        return Err(fields.damaged(items::SORT));
    }
    match kind.nature() {
        Nature::Derived | Nature::Transient => Ok(ScannedItem::Unproven),
        Nature::Revised => current(fields, &sort).map(ScannedItem::Current),
        Nature::Lasting => lasting(kind, fields, &sort).map(ScannedItem::Lasting),
    }
}

/// Two kinds have a form of their own; any other that lasts is a row.
fn lasting(kind: Kind, fields: Fields<'_>, sort: &SortKey) -> Result<ItemFacts, StoreError> {
    if kind == Kind::Revision {
        revision(fields, sort)
    } else if matches!(kind, Kind::Login | Kind::Member) {
        login(fields)
    } else {
        row(fields)
    }
}

fn is_erasure(fields: Fields<'_>) -> Result<bool, StoreError> {
    Ok(fields.text(items::PARTITION)?.starts_with(keys::ERASED_PREFIX))
}

/// A thing as it is now.
fn current(fields: Fields<'_>, sort: &SortKey) -> Result<ItemFacts, StoreError> {
    revised(fields, sort, None)
}

/// One revision of a thing.
fn revision(fields: Fields<'_>, sort: &SortKey) -> Result<ItemFacts, StoreError> {
    let SortKey::Revision(of, version) = sort else { return Err(fields.damaged(items::SORT)) };
    if of.kind().nature() != Nature::Revised {
        return Err(fields.damaged(items::SORT));
    }
    revised(fields, of, Some(*version))
}

fn revised(
    fields: Fields<'_>,
    of: &SortKey,
    revision_of: Option<Version>,
) -> Result<ItemFacts, StoreError> {
    let key = fields.key()?;
    let revision = items::read_written(fields)?;
    let content = revision.content;
    let thing = format!("{}/{of}", key.partition);
    let digest = revision.digest(&thing, content);
    let customer: CustomerId = fields.parse(items::PARTITION)?;
    // One attribute more, and it might expire: no digest tells of what is not in it.
    let attributes = items::REVISION_ATTRIBUTES + usize::from(revision.deleted);
    let as_written = revision_of.is_none_or(|version| version == revision.version)
        && fields.0.len() == attributes
        && digest.is_shown_as(fields.text(items::DIGEST)?);
    let counterpart = match revision_of {
        Some(version) if as_written => counterpart(customer, of, version, content)
            .map_err(|_| fields.damaged(items::CONTENT))?,
        _ => None,
    };
    let is_current = revision_of.is_none() && !revision.deleted;
    let bytes = if is_current { bytes_of(customer, of, content).ok().flatten() } else { None };
    let awaits = bytes.filter(|(state, ..)| *state == UploadState::Pending);
    Ok(ItemFacts {
        awaits: awaits.map(|(_, key, digest)| (key, digest)),
        erased: revision.deleted.then(|| Erased {
            thing: RowKey { partition: key.partition.clone(), sort: of.to_string() },
            by: revision.changed_by,
        }),
        thing,
        key,
        customer: Some(customer),
        version: Some(revision.version),
        changed_at: Some(revision.changed_at),
        digest,
        as_written,
        counterpart,
        reason: None,
    })
}

/// What else has to be there since a revision is. An error: its content does not fit its kind.
fn counterpart(
    customer: CustomerId,
    of: &SortKey,
    version: Version,
    content: &str,
) -> Result<Option<Counterpart>, serde_json::Error> {
    match of {
        SortKey::AppendixVersion(..) => {
            let bytes = bytes_of(customer, of, content)?;
            let stored = bytes.filter(|(state, ..)| *state == UploadState::Stored);
            Ok(stored.map(|(_, key, digest)| Counterpart::Object { key, digest }))
        }
        SortKey::User(user) if version == Version::FIRST => {
            let (profile, _) = content::read::<UserProfile>(content)?;
            let (partition, sort) = match (profile.login, profile.email) {
                (Some(login), _) if login == begun_with(*user) => {
                    (keys::login_partition(login), SortKey::Login)
                }
                (Some(login), _) => {
                    (keys::login_partition(login), SortKey::Member(customer, *user))
                }
                (None, Some(name)) => (keys::sign_in_partition(&name), SortKey::Login),
                (None, None) => return Ok(None),
            };
            let key = RowKey { partition, sort: sort.to_string() };
            let digest = login_digest(&key, customer, *user);
            Ok(Some(Counterpart::Login { key, digest }))
        }
        SortKey::User(_)
        | SortKey::Customer
        | SortKey::Invitation(_)
        | SortKey::Type(_)
        | SortKey::Record(_)
        | SortKey::Appendix(..)
        | SortKey::Comment(..) => Ok(None),
        // No revisions are of these.
        SortKey::Revision(..)
        | SortKey::Usage(_)
        | SortKey::Counter(_)
        | SortKey::Followers(_)
        | SortKey::ByChange(_)
        | SortKey::Word(_)
        | SortKey::Unindexed(_)
        | SortKey::Notice(_)
        | SortKey::Daily(..)
        | SortKey::Lane(_)
        | SortKey::Pointer(_)
        | SortKey::IndexBuilt
        | SortKey::Request(..)
        | SortKey::SignUp(_)
        | SortKey::Card(_)
        | SortKey::ShortName
        | SortKey::Suspended
        | SortKey::Session(..)
        | SortKey::SignIn
        | SortKey::Login
        | SortKey::Member(..)
        | SortKey::SignUpLink
        | SortKey::Event(_)
        | SortKey::Forgotten(..)
        | SortKey::Token(..)
        | SortKey::Tries
        | SortKey::Invitee(_)
        | SortKey::Reset(_)
        | SortKey::Attempts(_)
        | SortKey::BackupRun(_)
        | SortKey::BackupJob(_)
        | SortKey::Verification(..)
        | SortKey::Link(..)
        | SortKey::Restore(_)
        | SortKey::Policy(_)
        | SortKey::Crashes(_)
        | SortKey::Crash
        | SortKey::Resolved(_)
        | SortKey::Deleted(_) => Ok(None),
    }
}

/// Whether the bytes of an appendix version are noted, where they are, and the digest of key, size and hash.
fn bytes_of(
    customer: CustomerId,
    of: &SortKey,
    content: &str,
) -> Result<Option<(UploadState, Announced, Digest)>, serde_json::Error> {
    let &SortKey::AppendixVersion(record, appendix, number) = of else { return Ok(None) };
    let (content, _) = content::read::<AppendixVersion>(content)?;
    let key = ObjectKey { customer, record, appendix, number };
    let digest = key.digest(content.bytes.get(), &content.sha256.to_base64());
    Ok(Some((content.state, Announced(key), digest)))
}

fn login(fields: Fields<'_>) -> Result<ItemFacts, StoreError> {
    let key = fields.key()?;
    let customer = fields.parse(items::CUSTOMER_ID)?;
    let user: UserId = fields.parse(items::USER_ID)?;
    Ok(ItemFacts {
        awaits: None,
        thing: key.to_string(),
        customer: Some(customer),
        version: None,
        changed_at: None,
        digest: login_digest(&key, customer, user),
        as_written: true,
        erased: None,
        counterpart: None,
        reason: Some(RowKey {
            partition: keys::customer_partition(customer),
            sort: SortKey::User(user).revision(Version::FIRST).to_string(),
        }),
        key,
    })
}

pub(super) fn login_digest(key: &RowKey, customer: CustomerId, user: UserId) -> Digest {
    Digest::of(&[key.partition.as_bytes(), &customer.to_bytes(), &user.to_bytes()])
}

/// What was noted once, all of its attributes.
fn row(fields: Fields<'_>) -> Result<ItemFacts, StoreError> {
    let key = fields.key()?;
    Ok(ItemFacts {
        awaits: None,
        erased: erased_by_the_ledger(fields, &key),
        thing: key.to_string(),
        key,
        customer: None,
        version: None,
        changed_at: Some(fields.time(items::NOTED_AT)?),
        digest: items::digest(fields.0),
        as_written: true,
        counterpart: None,
        reason: None,
    })
}

/// What a row of the ledger says was erased, if it says that.
pub(super) fn erased_by_the_ledger(fields: Fields<'_>, row: &RowKey) -> Option<Erased> {
    let partition = row.partition.strip_prefix(keys::ERASED_PREFIX)?.to_owned();
    let by = fields.parse(items::ERASED_BY).ok()?;
    Some(Erased { thing: RowKey { partition, sort: row.sort.clone() }, by })
}

#[cfg(test)]
#[allow(clippy::wildcard_enum_match_arm, reason = "a test makes what it is not told")]
mod tests {
    use super::*;

    fn item(partition: &str, sort: &str) -> Item {
        Item::from([
            (items::PARTITION.to_owned(), items::text(partition)),
            (items::SORT.to_owned(), items::text(sort)),
        ])
    }

    /// An item of the kind that this key is of, with all that such an item has.
    fn whole(sort: &SortKey) -> Item {
        let customer = CustomerId::from_bytes([9; 16]);
        let (user, time) = (UserId::from_bytes([1; 16]), Timestamp::from_millis(1_768_464_000_000));
        let of = match sort {
            SortKey::Revision(of, _) => Some(&**of),
            revised if revised.kind().nature() == Nature::Revised => Some(revised),
            _ => None,
        };
        if let Some(of) = of {
            let revision = domain::Revision::first((), user, time);
            let (thing, written) =
                items::written_pair(&customer.to_string(), of, &revision, "{}".to_owned());
            return if matches!(sort, SortKey::Revision(..)) { written } else { thing };
        }
        let mut item = item("P", &sort.to_string());
        item.insert(items::NOTED_AT.to_owned(), items::number(time.millis()));
        item.insert(items::CUSTOMER_ID.to_owned(), items::text(customer));
        item.insert(items::USER_ID.to_owned(), items::text(user));
        item
    }

    #[test]
    fn every_kind_counts_as_what_becomes_of_it_where_it_lives_and_as_damage_elsewhere() {
        for sort in keys::tests::every_kind() {
            // A customer's, a user's and an appendix's content say more than `{}`.
            let sort = match sort {
                SortKey::Revision(..) => {
                    SortKey::Record(domain::RecordId::from_bytes([2; 16])).revision(Version::FIRST)
                }
                other => other,
            };
            let kind = sort.kind();
            for table in TableKind::ALL {
                let found = scanned(table, &whole(&sort));
                let fits = match kind.nature() {
                    _ if !kind.lives_in(table) => matches!(found, ScannedItem::Unreadable { .. }),
                    Nature::Revised => matches!(found, ScannedItem::Current(_)),
                    Nature::Lasting => matches!(found, ScannedItem::Lasting(_)),
                    Nature::Derived | Nature::Transient => matches!(found, ScannedItem::Unproven),
                };
                assert!(fits, "{kind:?} in {table:?}: {found:?}");
            }
        }
    }
}
