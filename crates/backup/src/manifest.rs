//! The manifest: what was kept at a moment, added up.

use std::collections::BTreeMap;

use domain::{CustomerId, Digest, Timestamp};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize, Serializer};
use store::{Found, Kept, Segment, Store, StoreError};

use crate::Tally;

/// Into so many parts the revisions of a table fall by the hash of their key: where a copy differs,
/// the difference is in few of them.
const BUCKETS: usize = 64;
/// So many readers share a table.
const SEGMENTS: u32 = 4;
/// Enough to see what is wrong.
const DAMAGED_KEYS_MAX: usize = 100;

/// All revisions that were committed before the cut. They never change again, so neither does this.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    pub cut: Timestamp,
    pub summary: Summary,
    pub tables: BTreeMap<&'static str, TableManifest>,
}

/// A manifest in three figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub revisions: u64,
    /// The sum of their digests, as 64 hexadecimal digits.
    pub digest: String,
    /// How many of them are not as they were written.
    pub damaged: u64,
}

/// What one table held.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TableManifest {
    #[serde(flatten)]
    pub all: Tally,
    /// The same by the hash of the key; empty ones are left out.
    #[serde(serialize_with = "filled")]
    buckets: BTreeMap<usize, Tally>,
    /// How many readable revisions each customer has.
    pub customers: BTreeMap<CustomerId, u64>,
    pub damaged: u64,
    /// The keys of the first hundred of these.
    pub damaged_keys: Vec<String>,
}

/// Adds up every table, as it was at `cut`. In constant memory but for a count per customer.
pub async fn manifest(store: &Store, cut: Timestamp) -> Result<Manifest, StoreError> {
    let mut tables = BTreeMap::new();
    for kept in Kept::ALL {
        let segments = (0..SEGMENTS).map(async |index| {
            let mut part = TableManifest::default();
            let segment = Segment { index, of: SEGMENTS };
            store.scan_revisions(kept, segment, |found| part.add(cut, found)).await?;
            Ok::<_, StoreError>(part)
        });
        let mut table = TableManifest::default();
        for part in try_join_all(segments).await? {
            table.merge(part);
        }
        tables.insert(kept.name(), table);
    }
    let mut all = Tally::default();
    tables.values().for_each(|table| all.merge(&table.all));
    let damaged = tables.values().map(|table| table.damaged).sum();
    let summary = Summary { revisions: all.count, digest: all.digest(), damaged };
    Ok(Manifest { cut, summary, tables })
}

impl Manifest {
    /// The form it is kept in.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a manifest becomes JSON")
    }

    /// The summary of a manifest in the form that it is kept in.
    pub fn summary_of(json: &[u8]) -> Result<Summary, serde_json::Error> {
        #[derive(Deserialize)]
        struct Kept {
            summary: Summary,
        }
        serde_json::from_slice::<Kept>(json).map(|kept| kept.summary)
    }

    /// The keys of damaged items, the first hundred of each table.
    pub fn damaged_keys(&self) -> impl Iterator<Item = &str> {
        self.tables.values().flat_map(|table| &table.damaged_keys).map(String::as_str)
    }
}

impl TableManifest {
    /// What is damaged is counted as it is, whenever it says that it was written.
    fn add(&mut self, cut: Timestamp, found: Found) {
        let (key, digest) = match found {
            Found::Revision(it) if it.as_written && it.changed_at >= cut => return,
            Found::Revision(it) => {
                *self.customers.entry(it.customer).or_default() += 1;
                if !it.as_written {
                    self.note_damage(1, [it.key.clone()]);
                }
                (it.key, it.digest)
            }
            Found::Unreadable { key, digest } => {
                self.note_damage(1, [key.clone()]);
                (key, digest)
            }
        };
        self.all.add(&digest);
        self.buckets.entry(bucket(&key)).or_default().add(&digest);
    }

    fn note_damage(&mut self, count: u64, keys: impl IntoIterator<Item = String>) {
        self.damaged += count;
        let room = DAMAGED_KEYS_MAX - self.damaged_keys.len();
        self.damaged_keys.extend(keys.into_iter().take(room));
    }

    fn merge(&mut self, other: Self) {
        self.all.merge(&other.all);
        for (bucket, tally) in other.buckets {
            self.buckets.entry(bucket).or_default().merge(&tally);
        }
        for (customer, count) in other.customers {
            *self.customers.entry(customer).or_default() += count;
        }
        self.note_damage(other.damaged, other.damaged_keys);
    }
}

fn bucket(key: &str) -> usize {
    usize::from(Digest::of(&[key.as_bytes()]).as_bytes()[0]) * BUCKETS / 256
}

/// JSON has text for names.
fn filled<S: Serializer>(of: &BTreeMap<usize, Tally>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(of.iter().map(|(bucket, tally)| (bucket.to_string(), tally)))
}
