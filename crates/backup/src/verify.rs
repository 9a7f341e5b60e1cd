//! Holding a restored copy against the manifest: a first look at everything, and a close one where
//! that did not add up.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Digest, Timestamp};
use futures_util::future::{try_join, try_join_all};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use store::operator::{
    Bucket, ItemFacts, Operator, Reading, ScannedItem, Segment, StoredObject, Table,
};
use store::{StoreError, TableKind};

use crate::known::look_up;
use crate::losses::{Called, Losses};
use crate::manifest::SEGMENTS;
use crate::objects::ObjectsCheck;
use crate::restored::dangling_in;
use crate::standing::standing;
use crate::{
    APPENDICES, Cause, EVIDENCE, Findings, Manifest, TableCheck, TableManifest, objects, trace,
};

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
    /// What is wrong with the copy.
    pub findings: Findings,
    /// What is wrong with what is in use: it has vanished there since, was altered, or was slipped in.
    #[serde(default)]
    pub in_use: Findings,
}

impl Report {
    /// Whether the copy is what it should be, whatever has become of what is in use.
    pub fn is_clean(&self) -> bool {
        self.findings.faults() == 0
    }
}

/// Verifies copies of what is in use.
pub struct Verifier<'a> {
    pub operator: &'a Operator,
    pub bucket: &'a Bucket,
    pub manifest: &'a Manifest,
    /// The manifest is the newest: what it says is still to be so in use, too.
    pub looks_in_use: bool,
}

impl Verifier<'_> {
    /// Verifies a copy of a table.
    pub async fn table(&self, kind: TableKind, copy: &str) -> Result<Report, StoreError> {
        let whole = self.segment(kind, copy, Segment::WHOLE).await?;
        self.conclude(kind, copy, &whole).await
    }

    /// The first look at one segment of a copy.
    pub async fn segment(
        &self,
        kind: TableKind,
        copy: &str,
        segment: Segment,
    ) -> Result<TableCheck, StoreError> {
        let (copy, in_use) = (self.operator.copy(kind, copy), self.operator.table(kind));
        let cut = self.manifest.cut;
        // What is young in a copy has to be in use, if it says itself that it is.
        let young = (kind.proven_by() == Some(kind)).then_some(&in_use);
        let look_in_use = async {
            // Who verifies has no right to read logins in use: in the next night's copy they are looked at.
            if !self.looks_in_use || kind.proven_by() != Some(kind) {
                return Ok(None);
            }
            check(&in_use, None, cut, segment).await.map(Some)
        };
        let (mut part, in_use) = try_join(check(&copy, young, cut, segment), look_in_use).await?;
        part.in_use = in_use.map(Box::new);
        Ok(part)
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
        // Whether the copy is wrong or what is in use, nobody can say: both count.
        findings.merge(check.young.clone());
        let mut in_use = check.young.clone();
        if let Some(found) = &check.in_use {
            in_use.merge(self.look_in_use(kind, &copy, found, &expected).await?);
        }
        let report = self.report(kind.name(), copy.name(), check.items, findings);
        Ok(Report { in_use, ..report })
    }

    /// What a table in use has lost since the manifest, or has that was not there then.
    async fn look_in_use(
        &self,
        kind: TableKind,
        copy: &Table,
        found: &TableCheck,
        expected: &TableManifest,
    ) -> Result<Findings, StoreError> {
        let (in_use, cut) = (self.operator.table(kind), self.manifest.cut);
        let suspects = found.lasting.differing(&expected.buckets);
        let mut findings = Findings::default();
        if !suspects.is_empty() {
            let (in_use, called) = (&in_use, Called::DIVERGED);
            let losses = Losses { in_use, copy, cut, suspects, called };
            findings.merge(losses.run(&expected.buckets).await?);
        }
        if !found.torn().is_empty() {
            findings.merge(standing(&in_use, found.torn()).await?);
        }
        Ok(findings)
    }

    /// Verifies a copy of the bucket of appendices.
    pub async fn appendices(&self, copy: &str) -> Result<Report, StoreError> {
        let parts =
            Segment::WHOLE.split(SEGMENTS).map(|segment| self.objects_segment(copy, segment));
        let mut whole = ObjectsCheck::default();
        try_join_all(parts).await?.into_iter().for_each(|part| whole.merge(part));
        self.conclude_objects(copy, &whole).await
    }

    /// The first look at a part of the objects of a copy: one reader of many.
    pub async fn objects_segment(
        &self,
        copy: &str,
        segment: Segment,
    ) -> Result<ObjectsCheck, StoreError> {
        let mut check = objects::check(&self.bucket.copy(copy), segment).await?;
        if self.looks_in_use {
            for key in dangling_in(self.operator, self.bucket, segment).await? {
                check.in_use.note(Cause::Dangling, key, "has no bytes in use, or others");
            }
        }
        Ok(check)
    }

    /// What the first look at all objects comes to, with a close look where it has to be taken.
    pub async fn conclude_objects(
        &self,
        copy: &str,
        check: &ObjectsCheck,
    ) -> Result<Report, StoreError> {
        let copy = self.bucket.copy(copy);
        let findings =
            objects::conclude(self.operator, self.bucket, &copy, self.manifest, check).await?;
        let report = self.report(APPENDICES, copy.name(), check.checked, findings);
        Ok(Report { in_use: check.in_use.clone(), ..report })
    }

    /// Verifies a copy of the bucket of evidence, which is small. The ledger says which documents there
    /// are, and with which digests: so they are in use, and those from before the cut in the copy. Of any
    /// others, the copy has what is in use.
    pub async fn evidence(
        &self,
        in_use: &str,
        copy: &str,
        documents: &BTreeMap<String, Option<String>>,
    ) -> Result<Report, StoreError> {
        let (in_use, copy) = (self.bucket.copy(in_use), self.bucket.copy(copy));
        let (mut findings, mut lost, mut checked) = (Findings::default(), Findings::default(), 0);
        let (mut from, mut seen) = (None, BTreeSet::new());
        loop {
            let mut page = in_use.list(from).await?;
            // Sums of parts have done their work once they are put together.
            page.objects.retain(|it| !it.key.starts_with("parts/"));
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
                let digest = documents.get(&key).and_then(Option::as_ref);
                let is_true = |bytes: &[u8]| {
                    digest.is_none_or(|digest| Digest::of(&[bytes]).to_string() == *digest)
                };
                let in_use_is_true = written.as_deref().is_some_and(is_true);
                if !in_use_is_true {
                    lost.note(Cause::Evidence, &key, "is not what was written, in use");
                }
                match copied {
                    None if modified_at < self.manifest.cut => {
                        findings.note(Cause::Missing, &key, "is not in the copy");
                    }
                    Some(copied) if !is_true(&copied) => {
                        findings.note(Cause::Altered, &key, "is not what was written");
                    }
                    Some(_) if in_use_is_true && copied != written => {
                        findings.note(Cause::Altered, &key, "is not what is in use");
                    }
                    _ => {}
                }
                seen.insert(key);
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        for key in documents.keys().filter(|key| !seen.contains(*key)) {
            lost.note(Cause::Evidence, key, "is gone in use");
        }
        let report = self.report(EVIDENCE, copy.name(), checked, findings);
        let in_use = if self.looks_in_use { lost } else { Findings::default() };
        Ok(Report { in_use, ..report })
    }

    fn report(&self, resource: &str, copy: &str, checked: u64, findings: Findings) -> Report {
        let (resource, copy) = (resource.to_owned(), copy.to_owned());
        let in_use = Findings::default();
        Report { resource, copy, cut: self.manifest.cut, checked, findings, in_use }
    }
}

/// The sums of a segment of a table, read in smaller ones at the same time. Without a table in which it has to
/// be, what is young is not looked at.
pub(crate) async fn check(
    table: &Table,
    young_in: Option<&Table>,
    cut: Timestamp,
    segment: Segment,
) -> Result<TableCheck, StoreError> {
    let segments = segment.split(SEGMENTS).map(|it| check_segment(table, young_in, cut, it));
    let mut whole = TableCheck::default();
    for part in try_join_all(segments).await? {
        whole.merge(&part);
    }
    Ok(whole)
}

async fn check_segment(
    copy: &Table,
    young_in: Option<&Table>,
    cut: Timestamp,
    segment: Segment,
) -> Result<TableCheck, StoreError> {
    let mut part = TableCheck::default();
    let mut pages = copy.read(Reading::Everything, segment);
    while let Some(page) = pages.next().await? {
        if let Some(in_use) = young_in {
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
