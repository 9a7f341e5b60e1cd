//! The manifest: what was kept at a moment, added up.

use std::collections::BTreeMap;

use domain::{CustomerId, Digest, Timestamp, Version};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use store::operator::{Counterpart, ItemFacts, Operator, Reading, Redaction, ScannedItem, Segment};
use store::{StoreError, TableKind};

use crate::chain::{self, Erasures, Gap, Split};
use crate::{Base, Buckets, Findings, Tally};

/// So many readers share a table, or a segment of one.
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
    /// The one before; absent of the first, and of those of the release before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
}

/// The manifest before one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// Where it is, in the bucket of evidence.
    pub key: String,
    /// Its BLAKE3 hash as a document, as 64 hexadecimal digits.
    pub document: String,
    /// The same of the reports on that evening's copies, by their keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reports: BTreeMap<String, String>,
}

impl Previous {
    /// All that it names, with the digests.
    pub fn documents(&self) -> impl Iterator<Item = (&String, &String)> {
        std::iter::once((&self.key, &self.document)).chain(&self.reports)
    }
}

/// A manifest in three figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Of records, appendices, customers and users.
    pub revisions: u64,
    /// The sum of all digests, with the name of its rule.
    pub digest: String,
    /// How many are not as they were written.
    pub damaged: u64,
}

/// What one table held.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TableManifest {
    /// All parts together.
    #[serde(flatten)]
    pub all: Tally,
    pub buckets: Buckets,
    /// How many readable revisions each customer has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub customers: BTreeMap<CustomerId, u64>,
    #[serde(default)]
    pub damaged: u64,
    /// The sums of these alone, which are among the others.
    #[serde(default, skip_serializing_if = "Buckets::is_empty")]
    pub damaged_buckets: Buckets,
    /// The keys of the first hundred of these.
    #[serde(default)]
    pub damaged_keys: Vec<String>,
}

/// What there is at an evening, and whether all that was there at an earlier one still is.
pub struct Evening {
    pub manifest: Manifest,
    /// What is not there any more, or is there and was not.
    pub findings: Findings,
    /// The tables that are not what they were.
    pub discontinued: Vec<TableKind>,
}

/// Adds up every table, as it was at `cut`. In constant memory but for a count per customer.
pub async fn manifest(operator: &Operator, cut: Timestamp) -> Result<Manifest, StoreError> {
    Ok(evening(operator, cut, &Base::default()).await?.manifest)
}

/// The same, and in the same reading holds what is from before an earlier evening against what there
/// was then.
pub async fn evening(
    operator: &Operator,
    cut: Timestamp,
    base: &Base,
) -> Result<Evening, StoreError> {
    let whole = evening_part(operator, cut, base, Segment::WHOLE).await?;
    conclude(operator, cut, base, whole).await
}

/// What a segment of each table adds up to, which can be written down and put together with that of others.
pub async fn evening_part(
    operator: &Operator,
    cut: Timestamp,
    base: &Base,
    segment: Segment,
) -> Result<EveningPart, StoreError> {
    let readers = segment.split(SEGMENTS).map(|it| read_part(operator, cut, base, it));
    let mut whole = EveningPart::default();
    try_join_all(readers).await?.into_iter().for_each(|part| whole.merge(part));
    Ok(whole)
}

async fn read_part(
    operator: &Operator,
    cut: Timestamp,
    base: &Base,
    segment: Segment,
) -> Result<EveningPart, StoreError> {
    let mut parts = EveningPart::default();
    for kind in TableKind::ALL.into_iter().filter(|kind| kind.proven_by() == Some(*kind)) {
        let mut part = Part::default();
        let mut pages = operator.table(kind).read(Reading::Lasting, segment);
        while let Some(page) = pages.next().await? {
            page.into_iter().for_each(|item| part.add(cut, base.cut(kind), item));
        }
        parts.0.insert(kind.name().to_owned(), part);
    }
    Ok(parts)
}

/// The revisions that are missing between others, by all parts together: of tables that no manifest tells of.
pub async fn gaps(operator: &Operator, parts: EveningPart) -> Result<Findings, StoreError> {
    let mut findings = Findings::default();
    let kinds = TableKind::ALL.into_iter().map(|kind| (kind.name(), kind));
    let kinds: BTreeMap<_, _> = kinds.collect();
    let gaps =
        parts.0.into_iter().filter_map(|(name, part)| Some((*kinds.get(&*name)?, part.gaps)));
    chain::confirm_gaps(operator, gaps.collect(), &mut findings).await?;
    Ok(findings)
}

/// What all parts together come to.
pub async fn conclude(
    operator: &Operator,
    cut: Timestamp,
    base: &Base,
    mut parts: EveningPart,
) -> Result<Evening, StoreError> {
    let mut tables: BTreeMap<String, Split> = BTreeMap::new();
    let (mut erased, mut gaps) = (Erasures::default(), BTreeMap::new());
    for kind in TableKind::ALL.into_iter().filter(|kind| kind.proven_by() == Some(*kind)) {
        let part = parts.0.remove(kind.name()).unwrap_or_default();
        tables.insert(kind.name().to_owned(), part.this);
        tables.entry(TableKind::Logins.name().to_owned()).or_default().merge(part.logins);
        tables.entry(APPENDICES.to_owned()).or_default().merge(part.appendices);
        if kind == TableKind::Ledger {
            erased.rows = part.erased;
        } else {
            erased.tombstones.merge(&part.erased);
        }
        gaps.insert(kind, part.gaps);
    }
    let (findings, discontinued) =
        chain::continuity(operator, cut, base, &tables, &erased, gaps).await?;
    let tables: BTreeMap<String, TableManifest> =
        tables.into_iter().map(|(name, split)| (name, split.whole())).collect();
    let revisions = TableKind::all_with_revisions().map(|kind| tables[kind.name()].all.count).sum();
    let mut all = Tally::default();
    tables.values().for_each(|table| all.merge(&table.all));
    let damaged = tables.values().map(|table| table.damaged).sum();
    let summary = Summary { revisions, digest: all.digest(), damaged };
    let manifest = Manifest { cut, summary, tables, previous: None };
    Ok(Evening { manifest, findings, discontinued })
}

/// What was read of some of each table, by its name.
#[derive(Default, Serialize, Deserialize)]
pub struct EveningPart(BTreeMap<String, Part>);

impl EveningPart {
    pub fn merge(&mut self, other: Self) {
        for (table, part) in other.0 {
            self.0.entry(table).or_default().merge(part);
        }
    }
}

/// What was read of some of a table: itself, and what it says of others.
#[derive(Default, Serialize, Deserialize)]
struct Part {
    this: Split,
    logins: Split,
    appendices: Split,
    /// What it says was erased: tombstones, or rows of the ledger.
    erased: Buckets,
    gaps: Vec<Gap>,
    /// The revision before, of which thing: the revisions of one stand together, in their order.
    #[serde(skip)]
    last: Option<(String, Version)>,
}

impl Part {
    fn merge(&mut self, other: Self) {
        self.this.merge(other.this);
        self.logins.merge(other.logins);
        self.appendices.merge(other.appendices);
        self.erased.merge(&other.erased);
        self.gaps.extend(other.gaps);
    }

    /// What is damaged is counted as it is, whenever it says that it was written.
    fn add(&mut self, cut: Timestamp, base: Timestamp, item: ScannedItem) {
        match item {
            ScannedItem::Lasting(it) => {
                self.follow(&it);
                if !it.as_written {
                    self.this.damaged.note_damage(1, [it.key.to_string()]);
                    self.this.damaged.count(&it, &counted_digest(&it.digest, false));
                    return;
                }
                if it.changed_at.is_some_and(|at| at >= cut) {
                    return;
                }
                let young = it.changed_at.is_some_and(|at| at >= base);
                self.this.of(young).count(&it, &it.digest);
                if let Some(erased) = &it.erased {
                    let thing = erased.thing.to_string();
                    self.erased.add(&thing, &Digest::of(&[thing.as_bytes()]));
                }
                match it.counterpart {
                    Some(Counterpart::Login { key, digest }) => {
                        self.logins.of(young).buckets.add(&key.to_string(), &digest);
                    }
                    Some(Counterpart::Object { key, digest }) => {
                        self.appendices.of(young).buckets.add(&key.to_string(), &digest);
                    }
                    None => {}
                }
            }
            ScannedItem::Unreadable { key, digest } => {
                let (key, digest) = (key.to_string(), counted_digest(&digest, false));
                self.this.damaged.buckets.add(&key, &digest);
                self.this.damaged.note_damage(1, [key]);
            }
            ScannedItem::Current(_) | ScannedItem::Unproven => {}
        }
    }

    /// The versions of a thing have no gaps.
    fn follow(&mut self, it: &ItemFacts) {
        let Some(version) = it.version else { return };
        let (thing, last) = self.last.get_or_insert_with(|| (String::new(), version));
        let expected = if *thing == it.thing { last.next() } else { Version::FIRST };
        if version > expected {
            self.gaps.push(Gap { first: it.revision(expected), thing: it.current() });
        }
        thing.clone_from(&it.thing);
        *last = version;
    }
}

impl Split {
    fn of(&mut self, young: bool) -> &mut TableManifest {
        if young { &mut self.newer } else { &mut self.older }
    }

    fn merge(&mut self, other: Self) {
        self.older.merge(other.older);
        self.newer.merge(other.newer);
        self.damaged.merge(other.damaged);
    }

    fn whole(self) -> TableManifest {
        let damaged_buckets = self.damaged.buckets.clone();
        let mut whole = self.older;
        whole.merge(self.newer);
        whole.merge(self.damaged);
        let all = whole.buckets.total();
        TableManifest { all, damaged_buckets, ..whole }
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

    /// The same, without those who were forgotten since: their revisions have other digests now.
    #[must_use]
    pub fn without<'a>(mut self, redactions: impl IntoIterator<Item = &'a Redaction>) -> Self {
        let mut all = Tally::default();
        for Redaction { table, thing, old, new, .. } in redactions {
            let Some(table) = self.tables.get_mut(table) else { continue };
            let (mut less, mut more) = (Buckets::default(), Buckets::default());
            less.add(thing, old);
            if let Some(new) = new {
                more.add(thing, new);
            }
            table.buckets.subtract(&less);
            table.buckets.merge(&more);
            table.all = table.buckets.total();
        }
        self.tables.values().for_each(|table| all.merge(&table.all));
        self.summary.digest = all.digest();
        self
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
    fn count(&mut self, it: &ItemFacts, digest: &Digest) {
        if let Some(customer) = it.customer {
            *self.customers.entry(customer).or_default() += 1;
        }
        self.buckets.add(&it.thing, digest);
    }

    fn note_damage(&mut self, count: u64, keys: impl IntoIterator<Item = String>) {
        self.damaged += count;
        let room = DAMAGED_KEYS_MAX - self.damaged_keys.len();
        self.damaged_keys.extend(keys.into_iter().take(room));
    }

    fn merge(&mut self, other: Self) {
        self.buckets.merge(&other.buckets);
        self.damaged_buckets.merge(&other.damaged_buckets);
        for (customer, count) in other.customers {
            *self.customers.entry(customer).or_default() += count;
        }
        self.note_damage(other.damaged, other.damaged_keys);
    }
}
