//! The chain of evenings: what was committed before an evening's cut never changes and never goes. So
//! tonight's sums of all that is from before an earlier cut must be that evening's, exactly. What has
//! vanished, was altered or was slipped in is found by it, though tonight's copy agrees with tonight's
//! service.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{CustomerId, Timestamp};
use serde::{Deserialize, Serialize};
use store::operator::{ItemFacts, Operator, Reading, ScannedItem, Segment};
use store::{RowKey, StoreError, TableKind};

use crate::buckets::Suspects;
use crate::known::look_up;
use crate::manifest::SEGMENTS;
use crate::{Buckets, Cause, Findings, Manifest, TableManifest};

/// From before the beginning there is nothing.
const BEGINNING: Timestamp = Timestamp::from_millis(i64::MIN);

/// The earlier evenings that tonight is held against: after a restore, the last one before the moment
/// that was restored, and for the ledger, which no restore touches, the last one of all. By default there is
/// none: the chain begins.
#[derive(Default)]
pub struct Base {
    pub restored: Option<Arc<Manifest>>,
    /// The same one, unless there was a restore.
    pub ledger: Option<Arc<Manifest>>,
}

/// What a table has from before the base's cut and since, and what is damaged in it.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Split {
    pub older: TableManifest,
    pub newer: TableManifest,
    pub damaged: TableManifest,
}

/// What was erased, by the tombstones and by the ledger.
#[derive(Default)]
pub(crate) struct Erasures {
    pub tombstones: Buckets,
    pub rows: Buckets,
}

/// Versions of a thing that were not come upon.
#[derive(Serialize, Deserialize)]
pub(crate) struct Gap {
    pub first: RowKey,
    pub thing: RowKey,
}

impl Base {
    fn of(&self, table: &str) -> Option<&Manifest> {
        let ledger = table == TableKind::Ledger.name();
        if ledger { self.ledger.as_deref() } else { self.restored.as_deref() }
    }

    pub(crate) fn cut(&self, kind: TableKind) -> Timestamp {
        self.of(kind.name()).map_or(BEGINNING, |base| base.cut)
    }
}

/// What is not there any more, or is there and was not; and the tables in which the sums say so.
pub(crate) async fn continuity(
    operator: &Operator,
    cut: Timestamp,
    base: &Base,
    tables: &BTreeMap<String, Split>,
    erased: &Erasures,
    gaps: BTreeMap<TableKind, Vec<Gap>>,
) -> Result<(Findings, Vec<TableKind>), StoreError> {
    let (mut findings, mut discontinued) = (Findings::default(), Vec::new());
    for (name, now) in tables {
        let Some(base) = base.of(name) else { continue };
        let before = findings.faults();
        hold(name, base, now, &mut findings);
        let kind = TableKind::ALL.into_iter().find(|kind| kind.name() == name);
        let kind = kind.filter(|kind| kind.proven_by() == Some(*kind));
        discontinued.extend(kind.filter(|_| findings.faults() > before));
    }
    confirm_gaps(operator, gaps, &mut findings).await?;
    let suspects = erased.tombstones.differing(&erased.rows);
    if !suspects.is_empty() {
        look_at_erasures(operator, cut, suspects, &mut findings).await?;
    }
    Ok((findings, discontinued))
}

/// Holds what a table has from before an evening against what it had then: whose it was is said first.
fn hold(name: &str, base: &Manifest, now: &Split, findings: &mut Findings) {
    let then = base.table(name);
    let (mut expected, mut found) = (then.buckets, now.older.buckets.clone());
    if then.damaged > 0 && then.damaged_buckets.is_empty() {
        // The release before has not added these up apart.
        found.merge(&now.damaged.buckets);
    } else {
        expected.subtract(&then.damaged_buckets);
    }
    let mut counts = now.older.customers.clone();
    for (customer, count) in &now.damaged.customers {
        *counts.entry(*customer).or_default() += count;
    }
    let of = |counts: &BTreeMap<CustomerId, u64>, customer| {
        counts.get(customer).copied().unwrap_or_default()
    };
    let everybody =
        then.customers.keys().chain(counts.keys().filter(|it| !then.customers.contains_key(it)));
    for customer in everybody {
        let (had, has) = (of(&then.customers, customer), of(&counts, customer));
        // What was damaged since is counted with them, and may be young.
        if has < had || has > had + of(&now.damaged.customers, customer) {
            let what = format!("had {had} from before {} then, and has {has} now", base.cut);
            findings.note(Cause::Discontinued, format!("{name} of {customer}"), what);
        }
    }
    for (bucket, had, has) in expected.differences(&found, Suspects::ALL) {
        let what = format!("had {had} from before {} then, and has {has} now", base.cut);
        findings.note(Cause::Discontinued, format!("{name}, part {bucket}"), what);
    }
}

/// A database may give revisions in another order than that of their keys: what is there is no gap.
pub(crate) async fn confirm_gaps(
    operator: &Operator,
    gaps: BTreeMap<TableKind, Vec<Gap>>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    for (kind, gaps) in gaps {
        let keys = gaps.iter().map(|gap| gap.first.clone());
        let there = look_up(&operator.table(kind), keys).await?;
        for Gap { first, thing } in gaps.into_iter().filter(|gap| !there.contains_key(&gap.first)) {
            findings.note(
                Cause::Gap,
                first,
                format!("is gone, and later ones of {thing} are there"),
            );
        }
    }
    Ok(())
}

/// Each tombstone from before the cut has its row in the ledger, and what has such a row is deleted.
async fn look_at_erasures(
    operator: &Operator,
    cut: Timestamp,
    suspects: Suspects,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    for kind in [TableKind::Ledger].into_iter().chain(TableKind::all_with_revisions()) {
        let table = operator.table(kind);
        for segment in Segment::WHOLE.split(SEGMENTS) {
            let mut pages = table.read(Reading::Lasting, segment);
            while let Some(page) = pages.next().await? {
                let erased = page.into_iter().filter_map(|found| match found {
                    ScannedItem::Lasting(it) => erased_before(&it, cut, suspects),
                    _ => None,
                });
                let erased: Vec<RowKey> = erased.collect();
                if kind == TableKind::Ledger {
                    look_for_tombstones(operator, erased, findings).await?;
                } else {
                    look_for_rows(operator, erased, findings).await?;
                }
            }
        }
    }
    Ok(())
}

/// The thing that this says was erased.
fn erased_before(it: &ItemFacts, cut: Timestamp, suspects: Suspects) -> Option<RowKey> {
    let before = it.as_written && it.changed_at.is_none_or(|at| at < cut);
    let thing = it.erased.as_ref().map(|erased| erased.thing.clone());
    thing.filter(|thing| before && suspects.has(&thing.to_string()))
}

async fn look_for_rows(
    operator: &Operator,
    tombstones: Vec<RowKey>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let rows: Vec<RowKey> = tombstones.iter().map(RowKey::erasure).collect();
    let there = look_up(&operator.table(TableKind::Ledger), rows.iter().cloned()).await?;
    for (thing, _) in tombstones.iter().zip(&rows).filter(|(_, row)| !there.contains_key(row)) {
        findings.note(Cause::Unledgered, thing, "was erased, and the ledger does not say so");
    }
    Ok(())
}

async fn look_for_tombstones(
    operator: &Operator,
    things: Vec<RowKey>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    for kind in TableKind::all_with_revisions() {
        let here: Vec<RowKey> =
            things.iter().filter(|it| it.home() == Some(kind)).cloned().collect();
        let there = look_up(&operator.table(kind), here.iter().cloned()).await?;
        for thing in here {
            let facts = there.get(&thing).and_then(|it| it.facts.as_ref());
            if facts.is_none_or(|it| it.erased.is_none()) {
                findings.note(Cause::Unerased, thing, "was erased, and is not deleted");
            }
        }
    }
    Ok(())
}
