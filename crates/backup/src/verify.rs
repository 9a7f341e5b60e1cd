//! Holding a restored copy against the manifest: a first look at everything, and a close one where
//! that did not add up.

use domain::Timestamp;
use futures_util::future::{try_join, try_join_all};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use store::operator::{
    Bucket, ItemFacts, Operator, Reading, ScannedItem, Segment, StoredObject, Table,
};
use store::{StoreError, TableKind};

use crate::known::look_up;
use crate::manifest::SEGMENTS;
use crate::{APPENDICES, Cause, EVIDENCE, Findings, Manifest, TableCheck, objects, trace};

/// What was found in one copy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What it is a copy of.
    pub resource: String,
    /// The table or bucket that was looked at.
    pub copy: String,
    /// Of the manifest that it was held against.
    pub cut: Timestamp,
    /// How many items or objects there are.
    pub checked: u64,
    pub findings: Findings,
}

impl Report {
    pub fn is_clean(&self) -> bool {
        self.findings.faults() == 0
    }
}

/// Verifies copies of what is in use.
pub struct Verifier<'a> {
    pub operator: &'a Operator,
    pub bucket: &'a Bucket,
    pub manifest: &'a Manifest,
}

impl Verifier<'_> {
    /// Verifies a copy of a table, read in a few segments at once.
    pub async fn table(&self, kind: TableKind, copy: &str) -> Result<Report, StoreError> {
        let in_use = self.in_use(kind);
        let table = self.operator.copy(kind, copy);
        let check = check(&table, in_use.as_ref(), self.manifest.cut).await?;
        self.conclude(kind, copy, &check).await
    }

    /// The first look at one segment of a copy: one reader of many.
    pub async fn segment(
        &self,
        kind: TableKind,
        copy: &str,
        segment: Segment,
    ) -> Result<TableCheck, StoreError> {
        let (table, in_use) = (self.operator.copy(kind, copy), self.in_use(kind));
        check_segment(&table, in_use.as_ref(), self.manifest.cut, segment).await
    }

    /// Where what is young in a copy has to be, if it says itself that it is.
    fn in_use(&self, kind: TableKind) -> Option<Table> {
        (kind.proven_by() == Some(kind)).then(|| self.operator.table(kind))
    }

    /// What the first look at all of a copy comes to, with a close look where it has to be taken.
    pub async fn conclude(
        &self,
        kind: TableKind,
        copy: &str,
        check: &TableCheck,
    ) -> Result<Report, StoreError> {
        let (cut, copy) = (self.manifest.cut, self.operator.copy(kind, copy));
        let expected = self.manifest.table(kind.name());
        let suspects = check.suspects(&expected);
        let mut findings = Findings::default();
        if !suspects.is_empty() {
            let trace = trace::Trace { operator: self.operator, copy: &copy, cut, suspects };
            findings = trace.run(&expected.buckets).await?;
            // A login says nothing of its time: one that is young is found to be, and explains it.
            if kind.proven_by() == Some(kind) && findings.explain_nothing() {
                for (bucket, then, now) in check.discrepancies(&expected) {
                    let what = format!("held {then}, holds {now}, and no item says why");
                    findings.note(Cause::Altered, format!("bucket {bucket}"), what);
                }
            }
        }
        findings.merge(check.young.clone());
        Ok(self.report(kind.name(), copy.name(), check.items, findings))
    }

    /// Verifies a copy of the bucket of appendices.
    pub async fn appendices(&self, copy: &str) -> Result<Report, StoreError> {
        let copy = self.bucket.copy(copy);
        let (checked, findings) =
            objects::verify(self.operator, self.bucket, &copy, self.manifest).await?;
        Ok(self.report(APPENDICES, copy.name(), checked, findings))
    }

    /// Verifies a copy of the bucket of evidence, which is small: manifests and reports are what the
    /// bucket in use has, and those from before the cut are all there.
    pub async fn evidence(&self, in_use: &str, copy: &str) -> Result<Report, StoreError> {
        let (in_use, copy) = (self.bucket.copy(in_use), self.bucket.copy(copy));
        let (mut findings, mut checked) = (Findings::default(), 0);
        let mut from = None;
        loop {
            let page = in_use.list(from).await?;
            checked += page.objects.len() as u64;
            let both: Vec<_> = stream::iter(page.objects)
                .map(async |StoredObject { key, modified_at, .. }| {
                    let bytes = try_join(in_use.bytes(&key), copy.bytes(&key)).await?;
                    Ok::<_, StoreError>((key, modified_at, bytes))
                })
                .buffer_unordered(objects::AT_ONCE)
                .try_collect()
                .await?;
            for (key, modified_at, (written, copied)) in both {
                match copied {
                    None if modified_at < self.manifest.cut => {
                        findings.note(Cause::Missing, key, "is not in the copy");
                    }
                    Some(_) if copied != written => {
                        findings.note(Cause::Altered, key, "is not what was written");
                    }
                    _ => {}
                }
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        Ok(self.report(EVIDENCE, copy.name(), checked, findings))
    }

    fn report(&self, resource: &str, copy: &str, checked: u64, findings: Findings) -> Report {
        let (resource, copy) = (resource.to_owned(), copy.to_owned());
        Report { resource, copy, cut: self.manifest.cut, checked, findings }
    }
}

/// The sums of a copy, read in segments at the same time. Without a table in use, what is young is not looked
/// at.
pub(crate) async fn check(
    copy: &Table,
    in_use: Option<&Table>,
    cut: Timestamp,
) -> Result<TableCheck, StoreError> {
    let segments = (0..SEGMENTS)
        .map(|index| check_segment(copy, in_use, cut, Segment { index, of: SEGMENTS }));
    let mut whole = TableCheck::default();
    for part in try_join_all(segments).await? {
        whole.merge(&part);
    }
    Ok(whole)
}

async fn check_segment(
    copy: &Table,
    in_use: Option<&Table>,
    cut: Timestamp,
    segment: Segment,
) -> Result<TableCheck, StoreError> {
    let mut part = TableCheck::default();
    let mut pages = copy.read(Reading::Everything, segment);
    while let Some(page) = pages.next().await? {
        if let Some(in_use) = in_use {
            look_at_young(in_use, cut, &page, &mut part.young).await?;
        }
        page.into_iter().for_each(|item| part.add(cut, item));
    }
    Ok(part.closed())
}

/// What was written after the cut is in no manifest; but what is written stays, so it is in use. There is as
/// much of it as was written until the copy was taken.
async fn look_at_young(
    in_use: &Table,
    cut: Timestamp,
    page: &[ScannedItem],
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let young: Vec<&ItemFacts> = page
        .iter()
        .filter_map(|found| match found {
            ScannedItem::Lasting(it) if it.as_written => Some(it),
            _ => None,
        })
        .filter(|it| it.changed_at.is_some_and(|at| at >= cut))
        .collect();
    let there = look_up(in_use, young.iter().map(|it| it.key.clone())).await?;
    for it in young {
        match there.get(&it.key) {
            None => findings.note(Cause::Diverged, &it.key, "is in the copy, and not in use"),
            Some(other) if other.digest != it.digest => {
                findings.note(Cause::Diverged, &it.key, "is another in use");
            }
            Some(_) => {}
        }
    }
    Ok(())
}
