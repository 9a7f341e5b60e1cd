//! The first look at a copy: everything in it, once, in constant memory. Whether all is well is known
//! after it; what is wrong is then looked for where the sums differ.

use domain::{Digest, Timestamp, Version};
use serde::{Deserialize, Serialize};
use store::operator::{ItemFacts, ScannedItem};

use crate::manifest::counted_digest;
use crate::{Buckets, Findings, Suspects, TableManifest};

/// The sums of a copy of a table, or of some of it. Many readers can each make a part, in one process
/// or in many: parts are written down, read again and put together.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TableCheck {
    /// How many items there are.
    pub items: u64,
    /// What lasts and is from before the cut.
    pub(crate) lasting: Buckets,
    /// The newest revision of each thing, whenever it is from.
    newest: Buckets,
    /// Each thing as it is now. A thing and its newest revision have the same digest, so these are
    /// the same sums.
    current: Buckets,
    /// What is younger than the cut, and not what is in use.
    #[serde(default)]
    pub young: Findings,
    /// The same sums of the table in use, where that has been looked at too.
    #[serde(default)]
    pub in_use: Option<Box<Self>>,
    /// The revision before. A table is read in the order of its keys, and the revisions of a thing
    /// stand together: the last of a row of them is its newest. Should a database read in another
    /// order, the sums differ and everything is looked at closely: slow, but never wrong.
    #[serde(skip)]
    last: Option<Last>,
}

#[derive(Clone, Debug)]
struct Last {
    thing: String,
    version: Version,
    digest: Digest,
}

impl TableCheck {
    pub fn add(&mut self, cut: Timestamp, item: ScannedItem) {
        self.items += 1;
        match item {
            ScannedItem::Lasting(it) => {
                let digest = counted_digest(&it.digest, it.as_written);
                if !it.as_written || it.changed_at.is_none_or(|at| at < cut) {
                    self.lasting.add(&it.thing, &digest);
                }
                if let Some(version) = it.version {
                    self.follow(it, version, digest);
                }
            }
            ScannedItem::Current(it) => {
                self.current.add(&it.thing, &counted_digest(&it.digest, it.as_written));
            }
            ScannedItem::Unreadable { key, digest } => {
                self.lasting.add(&key.to_string(), &counted_digest(&digest, false));
            }
            ScannedItem::Unproven => {}
        }
    }

    fn follow(&mut self, it: ItemFacts, version: Version, digest: Digest) {
        let next = Last { thing: it.thing, version, digest };
        if let Some(last) = self.last.replace(next) {
            let now = self.last.as_ref().expect("it was put there");
            if last.thing != now.thing || last.version > now.version {
                self.newest.add(&last.thing, &last.digest);
            }
        }
    }

    /// A part that nothing is added to any more.
    #[must_use]
    pub fn closed(mut self) -> Self {
        if let Some(last) = self.last.take() {
            self.newest.add(&last.thing, &last.digest);
        }
        self
    }

    /// Puts the sums of another part to these; both are closed.
    pub fn merge(&mut self, other: &Self) {
        self.items += other.items;
        self.lasting.merge(&other.lasting);
        self.newest.merge(&other.newest);
        self.current.merge(&other.current);
        self.young.merge(other.young.clone());
        match (&mut self.in_use, &other.in_use) {
            (Some(in_use), Some(other)) => in_use.merge(other),
            (None, Some(other)) => self.in_use = Some(other.clone()),
            (_, None) => {}
        }
    }

    /// The parts in which what lasts is not what the manifest says, and how many there are of each.
    pub fn discrepancies(&self, expected: &TableManifest) -> Vec<(usize, u64, u64)> {
        expected.buckets.differences(&self.lasting, Suspects::ALL).collect()
    }

    /// Where the copy is not what the manifest says, or does not agree with itself.
    pub fn suspects(&self, expected: &TableManifest) -> Suspects {
        self.lasting.differing(&expected.buckets).or(self.torn())
    }

    /// Where things are not at their newest revisions.
    pub fn torn(&self) -> Suspects {
        self.newest.differing(&self.current)
    }
}
