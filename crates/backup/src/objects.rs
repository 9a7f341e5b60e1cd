//! The bytes of appendices in a copy of the bucket: each stored version has an object of its size and
//! hash, and each object has a version.

use std::collections::HashMap;

use domain::Digest;
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use store::operator::{Bucket, Counterpart, Operator, Reading, ScannedItem, Segment, StoredObject};
use store::{Announced, StoreError, TableKind};

use crate::manifest::SEGMENTS;
use crate::{APPENDICES, Buckets, Cause, Findings, Manifest, Suspects};

/// So many objects are looked at at the same time.
pub(crate) const AT_ONCE: usize = 32;

/// The sums of a copy of the bucket, or of some of it, which can be written down and put together.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ObjectsCheck {
    /// How many objects there are.
    pub checked: u64,
    sums: Buckets,
    /// Appendix versions whose bytes are not in use any more, where that was looked at.
    pub in_use: Findings,
}

impl ObjectsCheck {
    /// Puts the sums of another part to these.
    pub fn merge(&mut self, other: Self) {
        self.checked += other.checked;
        self.sums.merge(&other.sums);
        self.in_use.merge(other.in_use);
    }
}

/// Looks at the objects whose keys fall into this part: each reader lists all, which is cheap, and reads its
/// own, of which a copy may have kept no hash.
pub async fn check(copy: &Bucket, segment: Segment) -> Result<ObjectsCheck, StoreError> {
    let mut check = ObjectsCheck::default();
    let mut from = None;
    loop {
        let mut page = copy.list(from).await?;
        page.objects.retain(|it| falls_into(segment, &it.key));
        check.checked += page.objects.len() as u64;
        for (key, digest) in digests(copy, page.objects).await? {
            // What is no key of ours counts as something that nobody expects.
            check.sums.add(&key, &digest.unwrap_or_else(|| Digest::of(&[key.as_bytes()])));
        }
        from = page.next;
        if from.is_none() {
            return Ok(check);
        }
    }
}

pub(crate) fn falls_into(segment: Segment, key: &str) -> bool {
    let [.., a, b, c, d] = *Digest::of(&[key.as_bytes()]).as_bytes();
    u32::from_be_bytes([a, b, c, d]) % segment.of.max(1) == segment.index
}

/// What is wrong, by what all parts have come to.
pub async fn conclude(
    operator: &Operator,
    in_use: &Bucket,
    copy: &Bucket,
    manifest: &Manifest,
    check: &ObjectsCheck,
) -> Result<Findings, StoreError> {
    let expected = manifest.table(APPENDICES).buckets;
    let mut findings = Findings::default();
    let suspects = check.sums.differing(&expected);
    if !suspects.is_empty() {
        let trace = Trace { operator, in_use, copy, manifest, suspects };
        trace.look_at_copy(&mut findings).await?;
        trace.look_for(&expected, &mut findings).await?;
    }
    Ok(findings)
}

/// The digest of each object, by its key; `None` where the key is none of ours.
async fn digests(
    copy: &Bucket,
    objects: Vec<StoredObject>,
) -> Result<Vec<(String, Option<Digest>)>, StoreError> {
    stream::iter(objects)
        .map(async |StoredObject { key, .. }| match key.parse::<Announced>() {
            Ok(ours) => Ok((key, copy.digest(&ours).await?)),
            Err(_) => Ok((key, None)),
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

struct Trace<'a> {
    operator: &'a Operator,
    in_use: &'a Bucket,
    copy: &'a Bucket,
    manifest: &'a Manifest,
    suspects: Suspects,
}

impl Trace<'_> {
    /// Whether each object is claimed. One that nobody claims in the service either is its own
    /// matter, and no fault of the copy; one of a version that is younger than the cut may be there.
    async fn look_at_copy(&self, findings: &mut Findings) -> Result<(), StoreError> {
        let mut from = None;
        loop {
            let page = self.copy.list(from).await?;
            let objects = page.objects.into_iter().filter(|it| self.suspects.has(&it.key));
            let (mut ours, mut foreign) = (Vec::new(), Vec::new());
            for StoredObject { key, .. } in objects {
                match key.parse::<Announced>() {
                    Ok(key) => ours.push(key),
                    Err(_) => foreign.push(key),
                }
            }
            for key in foreign {
                findings.note(Cause::Orphan, key, "is no key of an appendix version");
            }
            let versions: Vec<_> = ours.iter().map(Announced::version).collect();
            let found = self.operator.table(TableKind::Records).look_up(&versions).await?;
            let claimed: HashMap<_, _> = found
                .into_iter()
                .filter_map(|found| match found {
                    ScannedItem::Current(it) => Some((it.current(), it)),
                    _ => None,
                })
                .collect();
            for key in ours {
                if !claimed.contains_key(&key.version()) && !self.in_use.has(&key).await? {
                    findings.note(Cause::Orphan, key, "is claimed by no appendix version");
                }
            }
            from = page.next;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    /// Whether each stored version has its bytes.
    async fn look_for(
        &self,
        expected: &Buckets,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let segments = Segment::WHOLE.split(SEGMENTS).map(|segment| self.look_for_some(segment));
        let mut stored = Buckets::default();
        for (part, found) in try_join_all(segments).await? {
            stored.merge(&part);
            findings.merge(found);
        }
        for (bucket, then, now) in expected.differences(&stored, self.suspects) {
            let what = format!("held {then} at the cut, and holds {now} of that time now");
            findings.note(Cause::Diverged, format!("bucket {bucket}"), what);
        }
        Ok(())
    }

    async fn look_for_some(&self, segment: Segment) -> Result<(Buckets, Findings), StoreError> {
        let records = self.operator.table(TableKind::Records);
        let mut pages = records.read(Reading::Lasting, segment);
        let (mut stored, mut findings) = (Buckets::default(), Findings::default());
        while let Some(page) = pages.next().await? {
            let mut wanted = Vec::new();
            for found in page {
                let ScannedItem::Lasting(it) = found else { continue };
                let Some(Counterpart::Object { key, digest }) = it.counterpart else { continue };
                if it.changed_at.is_some_and(|at| at < self.manifest.cut) {
                    stored.add(&key.to_string(), &digest);
                    if self.suspects.has(&key.to_string()) {
                        wanted.push((key, digest));
                    }
                }
            }
            let looked: Vec<_> = stream::iter(wanted)
                .map(async |(key, declared)| {
                    let digest = self.copy.digest(&key).await?;
                    Ok::<_, StoreError>((key, declared, digest))
                })
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            for (key, declared, digest) in looked {
                match digest {
                    None => findings.note(Cause::Dangling, key, "has no bytes"),
                    Some(digest) if digest != declared => {
                        findings.note(Cause::AlteredAppendix, key, "has other bytes than declared");
                    }
                    Some(_) => {}
                }
            }
        }
        Ok((stored, findings))
    }
}
