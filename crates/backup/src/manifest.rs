//! The manifest: what was kept at a moment, added up.

use std::collections::BTreeMap;

use domain::{CustomerId, Digest, Timestamp};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use store::operator::{Counterpart, Operator, Reading, ScannedItem, Segment, Table};
use store::{StoreError, TableKind};

use crate::{Buckets, Tally};

/// So many readers share a table.
pub(crate) const SEGMENTS: u32 = 4;
/// Enough to see what is wrong.
const DAMAGED_KEYS_MAX: usize = 100;
/// What the bytes of appendices are called among the tables.
pub const APPENDICES: &str = "appendices";
/// What manifests and reports are called. No manifest counts them.
pub const EVIDENCE: &str = "evidence";

/// All that was committed before the cut. It never changes again, so neither does this.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub cut: Timestamp,
    pub summary: Summary,
    /// By the names of [`TableKind`], and [`APPENDICES`]. Logins and appendices are counted as the
    /// revisions say they must be: they are held against them.
    pub tables: BTreeMap<String, TableManifest>,
}

/// A manifest in three figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Of records, appendices, customers and users.
    pub revisions: u64,
    /// The sum of all digests, as 64 hexadecimal digits.
    pub digest: String,
    /// How many are not as they were written.
    pub damaged: u64,
}

/// What one table held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TableManifest {
    #[serde(flatten)]
    pub all: Tally,
    pub buckets: Buckets,
    /// How many readable revisions each customer has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub customers: BTreeMap<CustomerId, u64>,
    #[serde(default)]
    pub damaged: u64,
    /// The keys of the first hundred of these.
    #[serde(default)]
    pub damaged_keys: Vec<String>,
}

/// What was read of some of a table: itself, and what it says of others.
#[derive(Default)]
struct Part {
    this: TableManifest,
    logins: TableManifest,
    appendices: TableManifest,
}

/// Adds up every table, as it was at `cut`. In constant memory but for a count per customer.
pub async fn manifest(operator: &Operator, cut: Timestamp) -> Result<Manifest, StoreError> {
    let mut tables = BTreeMap::new();
    let (mut logins, mut appendices) = (TableManifest::default(), TableManifest::default());
    for kind in TableKind::ALL.into_iter().filter(|kind| kind.proven_by() == Some(*kind)) {
        let part = part(&operator.table(kind), cut).await?;
        tables.insert(kind.name().to_owned(), part.this);
        logins.merge(part.logins);
        appendices.merge(part.appendices);
    }
    let revised = TableKind::ALL.into_iter().filter(|kind| kind.has_revisions());
    let revisions = revised.map(|kind| tables[kind.name()].all.count).sum();
    tables.insert(TableKind::Logins.name().to_owned(), logins);
    tables.insert(APPENDICES.to_owned(), appendices);
    let mut all = Tally::default();
    tables.values().for_each(|table| all.merge(&table.all));
    let damaged = tables.values().map(|table| table.damaged).sum();
    let summary = Summary { revisions, digest: all.digest(), damaged };
    Ok(Manifest { cut, summary, tables })
}

async fn part(table: &Table, cut: Timestamp) -> Result<Part, StoreError> {
    let segments = (0..SEGMENTS).map(async |index| {
        let mut part = Part::default();
        let mut pages = table.read(Reading::Lasting, Segment { index, of: SEGMENTS });
        while let Some(page) = pages.next().await? {
            page.into_iter().for_each(|item| part.add(cut, item));
        }
        Ok::<_, StoreError>(part)
    });
    let mut whole = Part::default();
    for part in try_join_all(segments).await? {
        whole.this.merge(part.this);
        whole.logins.merge(part.logins);
        whole.appendices.merge(part.appendices);
    }
    Ok(whole)
}

impl Part {
    /// What is damaged is counted as it is, whenever it says that it was written.
    fn add(&mut self, cut: Timestamp, item: ScannedItem) {
        match item {
            ScannedItem::Lasting(it) => {
                if it.as_written && it.changed_at.is_some_and(|at| at >= cut) {
                    return;
                }
                if !it.as_written {
                    self.this.note_damage(1, [it.key.to_string()]);
                }
                if let Some(customer) = it.customer {
                    *self.this.customers.entry(customer).or_default() += 1;
                }
                self.this.count(&it.thing, &counted_digest(&it.digest, it.as_written));
                match it.counterpart {
                    Some(Counterpart::Login { key, digest }) => {
                        self.logins.count(&key.to_string(), &digest);
                    }
                    Some(Counterpart::Object { key, digest }) => {
                        self.appendices.count(&key.to_string(), &digest);
                    }
                    None => {}
                }
            }
            ScannedItem::Unreadable { key, digest } => {
                self.this.note_damage(1, [key.to_string()]);
                self.this.count(&key.to_string(), &counted_digest(&digest, false));
            }
            ScannedItem::Current(_) | ScannedItem::Unproven => {}
        }
    }
}

/// The digest by which an item counts: that it is not as it was written shows in it too.
pub(crate) fn counted_digest(digest: &Digest, as_written: bool) -> Digest {
    if as_written { *digest } else { Digest::of(&[digest.as_bytes(), b"damaged"]) }
}

impl Manifest {
    /// The form it is kept in.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a manifest becomes JSON")
    }

    /// A manifest in the form that it is kept in.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// What one table held; nothing, where the manifest does not know it.
    pub fn table(&self, name: &str) -> TableManifest {
        self.tables.get(name).cloned().unwrap_or_default()
    }

    /// The keys of damaged items, the first hundred of each table.
    pub fn damaged_keys(&self) -> impl Iterator<Item = &str> {
        self.tables.values().flat_map(|table| &table.damaged_keys).map(String::as_str)
    }
}

impl TableManifest {
    fn count(&mut self, thing: &str, digest: &Digest) {
        self.all.add(digest);
        self.buckets.add(thing, digest);
    }

    fn note_damage(&mut self, count: u64, keys: impl IntoIterator<Item = String>) {
        self.damaged += count;
        let room = DAMAGED_KEYS_MAX - self.damaged_keys.len();
        self.damaged_keys.extend(keys.into_iter().take(room));
    }

    fn merge(&mut self, other: Self) {
        self.all.merge(&other.all);
        self.buckets.merge(&other.buckets);
        for (customer, count) in other.customers {
            *self.customers.entry(customer).or_default() += count;
        }
        self.note_damage(other.damaged, other.damaged_keys);
    }
}
