//! The manifest: what was kept at a moment, added up.

use std::collections::BTreeMap;

use domain::{CustomerId, Digest, Timestamp};
use futures_util::future::try_join_all;
use serde::{Serialize, Serializer};
use store::{Kept, Segment, Store, StoreError, StoredRevision};

use crate::Tally;

/// Into so many parts the revisions of a table fall by the hash of their key: where a copy differs,
/// the difference is in few of them.
const BUCKETS: usize = 64;
/// So many readers share a table.
const SEGMENTS: u32 = 4;
/// Enough to see what is wrong.
const DAMAGED_MAX: usize = 100;

/// All revisions that were committed before the cut. They never change again, so neither does this.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    pub cut: Timestamp,
    pub tables: BTreeMap<&'static str, TableManifest>,
}

/// What one table held.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TableManifest {
    #[serde(flatten)]
    pub all: Tally,
    /// The same by the hash of the key; empty ones are left out.
    #[serde(serialize_with = "filled")]
    buckets: BTreeMap<usize, Tally>,
    /// How many revisions each customer has.
    pub customers: BTreeMap<CustomerId, u64>,
    /// The keys of items that are not as they were written, the first hundred.
    pub damaged: Vec<String>,
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
    Ok(Manifest { cut, tables })
}

impl Manifest {
    /// Of all tables.
    pub fn all(&self) -> Tally {
        let mut all = Tally::default();
        self.tables.values().for_each(|table| all.merge(&table.all));
        all
    }

    /// The form it is kept in.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a manifest becomes JSON")
    }

    pub fn damaged(&self) -> impl Iterator<Item = &String> {
        self.tables.values().flat_map(|table| &table.damaged)
    }
}

impl TableManifest {
    fn add(&mut self, cut: Timestamp, found: Result<StoredRevision, StoreError>) {
        let found = match found {
            Ok(found) => found,
            Err(error) => return self.note_damage(error.to_string()),
        };
        if found.changed_at >= cut {
            return;
        }
        if !found.as_written {
            self.note_damage(found.key.clone());
        }
        self.all.add(&found.digest);
        self.buckets.entry(bucket(&found.key)).or_default().add(&found.digest);
        *self.customers.entry(found.customer).or_default() += 1;
    }

    fn note_damage(&mut self, key: String) {
        if self.damaged.len() < DAMAGED_MAX {
            self.damaged.push(key);
        }
    }

    fn merge(&mut self, other: Self) {
        self.all.merge(&other.all);
        for (bucket, tally) in other.buckets {
            self.buckets.entry(bucket).or_default().merge(&tally);
        }
        for (customer, count) in other.customers {
            *self.customers.entry(customer).or_default() += count;
        }
        other.damaged.into_iter().for_each(|key| self.note_damage(key));
    }
}

fn bucket(key: &str) -> usize {
    usize::from(Digest::of(&[key.as_bytes()]).as_bytes()[0]) * BUCKETS / 256
}

/// JSON has text for names.
fn filled<S: Serializer>(of: &BTreeMap<usize, Tally>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(of.iter().map(|(bucket, tally)| (bucket.to_string(), tally)))
}
