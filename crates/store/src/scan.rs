//! Reading everything, for backups and nothing else: whoever's it is, from the tables in use or from
//! restored copies of them.

use domain::{AppendixVersion, CustomerId, Digest, Timestamp, UploadState, UserId, Version};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

use crate::batch::{Batch, projection};
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::row::RowKey;
use crate::{Announced, DynamoClient, ObjectKey, Store, StoreError, UserProfile, logins};

/// The tables that a backup has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// Records, appendices and their revisions.
    Records,
    /// Customers, users and their revisions.
    Accounts,
    /// Which address opens which account. What is known of a login without its table is in the
    /// first revision of its user; password hashes are compared with nothing, and kept by nobody.
    Logins,
    /// What passes. Nothing is promised of it, but that it can be read.
    Sessions,
    /// Rows that are written once.
    Ledger,
}

impl Kept {
    pub const ALL: [Self; 5] =
        [Self::Records, Self::Accounts, Self::Logins, Self::Sessions, Self::Ledger];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Accounts => "accounts",
            Self::Logins => "logins",
            Self::Sessions => "sessions",
            Self::Ledger => "ledger",
        }
    }
}

/// One of the parts that a table is read in at the same time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Segment {
    pub index: u32,
    pub of: u32,
}

/// What to read of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// All of it.
    Everything,
    /// What never changes again, and nothing else: revisions, rows of the ledger.
    Lasting,
}

/// A thing as it is now, or one that lasts: a revision, a row of the ledger, a login.
#[derive(Clone, Debug)]
pub struct Seen {
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
    /// What has to be elsewhere too, because this is here.
    pub elsewhere: Option<Elsewhere>,
    /// Where the revision is, in another table, that this is here for: of a login, its user's.
    pub because_of: Option<RowKey>,
}

/// Something in another store that a revision stands for.
#[derive(Clone, Debug)]
pub enum Elsewhere {
    /// The bytes of a stored appendix version: an object's key, and the digest of key, size and
    /// hash.
    Object { key: Announced, digest: Digest },
    /// The login of a user: its key, and the digest of key, customer and user.
    Login { key: RowKey, digest: Digest },
}

/// What an item turns out to be.
#[derive(Clone, Debug)]
pub enum Found {
    /// Written once and never again.
    Lasting(Seen),
    /// As it is now.
    Current(Seen),
    /// Here today and gone tomorrow: an answer to a request, a session, a note of how things stand.
    Passing,
    /// Something that lacks what such an item has.
    Unreadable {
        key: RowKey,
        /// Of all its attributes.
        digest: Digest,
    },
}

/// What a login has, the hash last.
const LOGIN: [&str; 5] =
    [items::PARTITION, items::SORT, logins::CUSTOMER, logins::USER, logins::PASSWORD_HASH];

/// A table in use, or a restored copy of one.
#[derive(Clone)]
pub struct Table {
    dynamo: DynamoClient,
    kept: Kept,
    name: String,
    /// In use: it changes while it is read, so what was committed has to be seen.
    consistent: bool,
}

impl Store {
    /// The table in use.
    pub fn table(&self, kept: Kept) -> Table {
        let name = self.table_name(kept).to_owned();
        Table { dynamo: self.dynamo.clone(), kept, name, consistent: true }
    }

    /// A restored copy of it. Nobody writes to that.
    pub fn copy(&self, kept: Kept, name: &str) -> Table {
        let name = name.to_owned();
        Table { dynamo: self.dynamo.clone(), kept, name, consistent: false }
    }

    /// Which of our tables is called so.
    pub fn kept(&self, table: &str) -> Option<Kept> {
        Kept::ALL.into_iter().find(|kept| self.table_name(*kept) == table)
    }

    pub fn table_name(&self, kept: Kept) -> &str {
        match kept {
            Kept::Records => &self.tables.records,
            Kept::Accounts => &self.tables.accounts,
            Kept::Logins => &self.tables.logins,
            Kept::Sessions => &self.tables.sessions,
            Kept::Ledger => &self.tables.ledger,
        }
    }
}

impl Table {
    pub const fn kept(&self) -> Kept {
        self.kept
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads one segment, a page at a time: in constant memory. Damaged items are found too; only a
    /// failing database ends the reading.
    pub fn read(&self, reading: Reading, segment: Segment) -> Pages {
        Pages { table: self.clone(), reading, segment, start: Some(None) }
    }

    /// Looks items up by their keys: each that is there, in no order.
    pub async fn look_up(&self, keys: &[RowKey]) -> Result<Vec<Found>, StoreError> {
        let read = keys.chunks(Batch::KEYS_MAX).map(async |keys| {
            let keys = keys.iter().map(RowKey::item).collect();
            // There is no filter: whether a login has a hash shows in the hash alone.
            let attributes = if self.kept == Kept::Logins { &LOGIN[..] } else { &[] };
            let batch = Batch::of(&self.name, keys, attributes, self.consistent);
            batch.read(&self.dynamo).await
        });
        let items = try_join_all(read).await?;
        let opens =
            |item: &&Item| self.kept != Kept::Logins || item.contains_key(logins::PASSWORD_HASH);
        Ok(items.iter().flatten().filter(opens).map(|item| found(self.kept, item)).collect())
    }

    /// A password hash is nobody's business here.
    fn attributes(&self) -> &'static [&'static str] {
        match self.kept {
            Kept::Logins => &LOGIN[..4],
            _ => &[],
        }
    }
}

/// The pages of one segment.
pub struct Pages {
    table: Table,
    reading: Reading,
    segment: Segment,
    /// Where the next page starts: at the beginning (`Some(None)`) or after a key. `None`: nowhere.
    start: Option<Option<Item>>,
}

impl Pages {
    /// Up to 1 MB of items; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<Found>>, StoreError> {
        let Some(start) = self.start.take() else { return Ok(None) };
        let number = |n: u32| i32::try_from(n).map_err(StoreError::broken);
        let mut scan = self
            .table
            .dynamo
            .scan()
            .table_name(&self.table.name)
            .consistent_read(self.table.consistent)
            .segment(number(self.segment.index)?)
            .total_segments(number(self.segment.of)?)
            .set_exclusive_start_key(start);
        let attributes = self.table.attributes();
        if !attributes.is_empty() {
            let (expression, names) = projection(attributes);
            // A login without its hash opens nothing: it counts as none.
            scan = scan
                .projection_expression(expression)
                .set_expression_attribute_names(names)
                .filter_expression("attribute_exists(#hash)")
                .expression_attribute_names("#hash", logins::PASSWORD_HASH);
        }
        let revised = matches!(self.table.kept, Kept::Records | Kept::Accounts);
        if revised && self.reading == Reading::Lasting {
            scan = scan
                .filter_expression("begins_with(#sk, :revision)")
                .expression_attribute_names("#sk", items::SORT)
                .expression_attribute_values(":revision", items::text(keys::REVISION_PREFIX));
        }
        let page = scan.send().await.map_err(StoreError::unavailable)?;
        let kept = self.table.kept;
        let found = page.items().iter().map(|item| found(kept, item)).collect();
        self.start = page.last_evaluated_key.map(Some);
        Ok(Some(found))
    }
}

fn found(kept: Kept, item: &Item) -> Found {
    let fields = Fields(item);
    let read = match kept {
        Kept::Records | Kept::Accounts => revised(fields),
        Kept::Logins => login(fields),
        Kept::Sessions => passing(fields),
        Kept::Ledger => ledger(fields),
    };
    let text = |name| fields.text(name).unwrap_or("?").to_owned();
    read.unwrap_or_else(|_| Found::Unreadable {
        key: RowKey { partition: text(items::PARTITION), sort: text(items::SORT) },
        digest: items::digest(item),
    })
}

/// A revision, or a thing as it is now.
fn revised(fields: Fields<'_>) -> Result<Found, StoreError> {
    let key = fields.key()?;
    let sort: SortKey = fields.sort_key()?;
    let (of, revision_of) = match sort {
        SortKey::Revision(of, version) => (*of, Some(version)),
        SortKey::Request(..) | SortKey::SignUp(_) => return Ok(Found::Passing),
        SortKey::Record(_)
        | SortKey::Appendix(..)
        | SortKey::AppendixVersion(..)
        | SortKey::Customer
        | SortKey::User(_) => (sort, None),
        _ => return Err(fields.damaged(items::SORT)),
    };
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
    let elsewhere = match (&of, revision_of) {
        (_, None) => None,
        _ if !as_written => None,
        (of, Some(version)) => elsewhere(customer, of, version, content)
            .ok_or_else(|| fields.damaged(items::CONTENT))?,
    };
    let seen = Seen {
        thing,
        key,
        customer: Some(customer),
        version: Some(revision.version),
        changed_at: Some(revision.changed_at),
        digest,
        as_written,
        elsewhere,
        because_of: None,
    };
    Ok(if revision_of.is_some() { Found::Lasting(seen) } else { Found::Current(seen) })
}

/// What else has to be there since a revision is. `None`: its content does not fit its kind.
#[expect(
    clippy::option_option,
    reason = "content that does not fit, and content that asks nothing"
)]
fn elsewhere(
    customer: CustomerId,
    of: &SortKey,
    version: Version,
    content: &str,
) -> Option<Option<Elsewhere>> {
    match of {
        SortKey::AppendixVersion(record, appendix, number) => {
            let content: AppendixVersion = serde_json::from_str(content).ok()?;
            let (record, appendix, number) = (*record, *appendix, *number);
            let key = ObjectKey { customer, record, appendix, number };
            let declared = content.declared;
            let digest = key.digest(declared.bytes.get(), &declared.sha256.to_base64());
            let stored = content.state == UploadState::Stored;
            Some(stored.then_some(Elsewhere::Object { key: Announced(key), digest }))
        }
        SortKey::User(user) if version == Version::FIRST => {
            let profile: UserProfile = serde_json::from_str(content).ok()?;
            let partition = keys::login_partition(&profile.email);
            let key = RowKey { partition, sort: SortKey::Login.to_string() };
            let digest = login_digest(&key, customer, *user);
            Some(Some(Elsewhere::Login { key, digest }))
        }
        _ => Some(None),
    }
}

fn login(fields: Fields<'_>) -> Result<Found, StoreError> {
    let key = fields.key()?;
    let SortKey::Login = fields.sort_key()? else { return Err(fields.damaged(items::SORT)) };
    let customer = fields.parse(logins::CUSTOMER)?;
    let user: UserId = fields.parse(logins::USER)?;
    Ok(Found::Lasting(Seen {
        thing: key.to_string(),
        customer: Some(customer),
        version: None,
        changed_at: None,
        digest: login_digest(&key, customer, user),
        as_written: true,
        elsewhere: None,
        because_of: Some(RowKey {
            partition: keys::customer_partition(customer),
            sort: SortKey::User(user).revision(Version::FIRST).to_string(),
        }),
        key,
    }))
}

fn login_digest(key: &RowKey, customer: CustomerId, user: UserId) -> Digest {
    Digest::of(&[key.partition.as_bytes(), &customer.to_bytes(), &user.to_bytes()])
}

fn passing(fields: Fields<'_>) -> Result<Found, StoreError> {
    match fields.sort_key()? {
        SortKey::Session(_)
        | SortKey::Request(..)
        | SortKey::Attempts(_)
        | SortKey::Crashes(_)
        | SortKey::Crash
        | SortKey::Resolved(_) => Ok(Found::Passing),
        _ => Err(fields.damaged(items::SORT)),
    }
}

fn ledger(fields: Fields<'_>) -> Result<Found, StoreError> {
    let key = fields.key()?;
    if matches!(fields.sort_key()?, SortKey::Restore(_) | SortKey::Policy(_)) {
        return Ok(Found::Passing);
    }
    Ok(Found::Lasting(Seen {
        thing: key.to_string(),
        key,
        customer: None,
        version: None,
        changed_at: Some(fields.time(items::NOTED_AT)?),
        digest: items::digest(fields.0),
        as_written: true,
        elsewhere: None,
        because_of: None,
    }))
}

impl Seen {
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
