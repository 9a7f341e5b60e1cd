//! What a restored service needs before it is used: halves of changes made whole, bytes for every
//! appendix version, and room in the bucket for those to come.

use std::collections::HashSet;
use std::time::Duration;

use domain::{Digest, Timestamp};
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use store::operator::{Bucket, Counterpart, Operator, Reading, ScannedItem, Segment, StoredObject};
use store::{Announced, StoreError, TableKind};

use crate::known::look_up;
use crate::manifest::SEGMENTS;
use crate::objects::{AT_ONCE, falls_into};
use crate::verify::check;
use crate::{Cause, Findings, TableManifest};

/// So long a request may take, sent slowly and answered late, from its time to its commit.
const UNDER_WAY: Duration = Duration::from_secs(5 * 60);
/// So many keys are named; more are counted, and all of them are in the evidence.
const NAMED_MAX: usize = 100;

/// Appendix versions whose bytes are not in the bucket, or are others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dangling {
    pub count: u64,
    pub named: Vec<String>,
}

impl From<&[String]> for Dangling {
    fn from(all: &[String]) -> Self {
        let named = all.iter().take(NAMED_MAX).cloned().collect();
        Self { count: all.len() as u64, named }
    }
}

/// Completes every change of a segment that the restore has cut in two. How many.
pub async fn mend(
    operator: &Operator,
    kind: TableKind,
    segment: Segment,
) -> Result<u64, StoreError> {
    let table = operator.copy(kind, operator.table_name(kind));
    // From before the beginning there is nothing: the sums say where table and revisions differ. A thing and
    // its revisions have one partition, and so one segment; were it not so, more would be looked at.
    let sums = check(&table, None, Timestamp::from_millis(i64::MIN), segment).await?;
    let suspects = sums.suspects(&TableManifest::default());
    if suspects.is_empty() {
        return Ok(0);
    }
    let segments = segment.split(SEGMENTS).map(async |segment| {
        let mut mended = 0;
        let mut pages = operator.table(kind).read(Reading::Everything, segment);
        while let Some(page) = pages.next().await? {
            let things = page.into_iter().filter_map(|found| match found {
                ScannedItem::Lasting(it) | ScannedItem::Current(it) => Some(it),
                _ => None,
            });
            let mut seen = HashSet::new();
            for it in things.filter(|it| suspects.has(&it.thing)) {
                if seen.insert(it.thing.clone()) && operator.mend(kind, &it).await? {
                    mended += 1;
                }
            }
        }
        Ok::<u64, StoreError>(mended)
    });
    Ok(try_join_all(segments).await?.iter().sum())
}

/// Erases in restored tables what is erased in those in use, so that it stays so even where the ledger has
/// lost its row. Tables in use that are gone say nothing. How many.
pub async fn erase_what_is_erased_in_use(
    in_use: &Operator,
    restored: &Operator,
    segment: Segment,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut erased = 0;
    for kind in TableKind::all_with_revisions() {
        if in_use.table_state(in_use.table_name(kind)).await?.is_none() {
            continue;
        }
        let segments = segment.split(SEGMENTS).map(async |segment| {
            let mut erased = 0;
            let mut pages = in_use.table(kind).read(Reading::Lasting, segment);
            while let Some(page) = pages.next().await? {
                let tombstones = page.into_iter().filter_map(|found| match found {
                    ScannedItem::Lasting(it) if it.as_written => it.erased,
                    _ => None,
                });
                erased += restored.erase_things(&tombstones.collect::<Vec<_>>(), now).await?;
            }
            Ok::<u64, StoreError>(erased)
        });
        erased += try_join_all(segments).await?.iter().sum::<u64>();
    }
    Ok(erased)
}

/// Appendix versions of a segment that say they are stored and whose bytes are not there, or are others. What
/// the bucket itself has of them is brought back first, from what is hidden or was written over; then, where there is
/// one, what `from` has, a copy of the bucket.
pub async fn dangling(
    operator: &Operator,
    bucket: &Bucket,
    from: Option<&Bucket>,
    segment: Segment,
) -> Result<Vec<Announced>, StoreError> {
    let segments = segment.split(SEGMENTS).map(async |segment| {
        each_stored(operator, segment, |key, digest| bring_back_or_name(bucket, from, key, digest))
            .await
    });
    Ok(try_join_all(segments).await?.concat())
}

/// The same of one segment of the records, of a bucket that nothing is brought back to.
pub(crate) async fn dangling_in(
    operator: &Operator,
    bucket: &Bucket,
    segment: Segment,
) -> Result<Vec<Announced>, StoreError> {
    let name = |key: Announced, declared| async move {
        let found = bucket.digest(&key).await?;
        Ok((found != Some(declared)).then_some(key))
    };
    each_stored(operator, segment, name).await
}

/// Those of the stored versions that `look` names.
async fn each_stored<F: Future<Output = Result<Option<Announced>, StoreError>>>(
    operator: &Operator,
    segment: Segment,
    look: impl Fn(Announced, Digest) -> F,
) -> Result<Vec<Announced>, StoreError> {
    let mut named = Vec::new();
    let mut pages = operator.table(TableKind::Records).read(Reading::Lasting, segment);
    while let Some(page) = pages.next().await? {
        let stored = page.into_iter().filter_map(|found| match found {
            ScannedItem::Lasting(it) => it.counterpart,
            _ => None,
        });
        let stored = stored.filter_map(|counterpart| match counterpart {
            Counterpart::Object { key, digest } => Some((key, digest)),
            Counterpart::Login { .. } => None,
        });
        let looked: Vec<Option<Announced>> = stream::iter(stored)
            .map(|(key, digest)| look(key, digest))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        named.extend(looked.into_iter().flatten());
    }
    Ok(named)
}

/// The key, if it has no bytes or others, and they cannot be brought back.
async fn bring_back_or_name(
    bucket: &Bucket,
    from: Option<&Bucket>,
    key: Announced,
    declared: Digest,
) -> Result<Option<Announced>, StoreError> {
    if has_bytes(bucket, &key, declared).await? {
        return Ok(None);
    }
    if let Some(from) = from
        && from.digest(&key).await? == Some(declared)
    {
        bucket.bring_back(&key, from, None).await?;
        return Ok(None);
    }
    Ok(Some(key))
}

/// Whether the bytes are there: as they are, or brought back from what is hidden or was written over.
async fn has_bytes(bucket: &Bucket, key: &Announced, declared: Digest) -> Result<bool, StoreError> {
    if bucket.digest(key).await? == Some(declared) {
        return Ok(true);
    }
    for version in bucket.versions(key).await? {
        if bucket.digest_of(key, Some(&version)).await? == Some(declared) {
            bucket.bring_back(key, bucket, Some(&version)).await?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Appendix versions of a segment that nobody has noted the bytes of, though they have come: of what was reserved
/// before the moment and noted after it.
pub async fn not_noted(
    operator: &Operator,
    bucket: &Bucket,
    segment: Segment,
) -> Result<Vec<Announced>, StoreError> {
    let segments = segment.split(SEGMENTS).map(async |segment| {
        let mut come = Vec::new();
        let mut pages = operator.table(TableKind::Records).read(Reading::Everything, segment);
        while let Some(page) = pages.next().await? {
            let waiting = page.into_iter().filter_map(|found| match found {
                ScannedItem::Current(it) => it.awaits,
                _ => None,
            });
            let looked: Vec<Option<Announced>> = stream::iter(waiting)
                .map(async |(key, declared)| {
                    Ok::<_, StoreError>(has_bytes(bucket, &key, declared).await?.then_some(key))
                })
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            come.extend(looked.into_iter().flatten());
        }
        Ok::<_, StoreError>(come)
    });
    Ok(try_join_all(segments).await?.concat())
}

/// What is in a segment of the tables in use from before a moment, and not in those that were restored to it: a
/// restore that has lost something. What was written right before may have been committed after.
pub async fn not_restored(
    in_use: &Operator,
    restored: &Operator,
    to: Timestamp,
    segment: Segment,
) -> Result<Findings, StoreError> {
    let before = to.before(UNDER_WAY);
    let mut findings = Findings::default();
    for kind in TableKind::all_with_revisions() {
        if in_use.table_state(in_use.table_name(kind)).await?.is_none() {
            continue;
        }
        let segments = segment.split(SEGMENTS).map(async |segment| {
            let mut findings = Findings::default();
            let mut pages = in_use.table(kind).read(Reading::Lasting, segment);
            while let Some(page) = pages.next().await? {
                let older = page.into_iter().filter_map(|found| match found {
                    ScannedItem::Lasting(it) if it.as_written => Some(it),
                    _ => None,
                });
                let older = older.filter(|it| it.changed_at.is_some_and(|at| at < before));
                let older: Vec<_> = older.map(|it| it.key).collect();
                let there = look_up(&restored.table(kind), older.iter().cloned()).await?;
                for key in older.into_iter().filter(|key| !there.contains_key(key)) {
                    findings.note(Cause::Missing, key, "is in use, and was not restored");
                }
            }
            Ok::<_, StoreError>(findings)
        });
        for part in try_join_all(segments).await? {
            findings.merge(part);
        }
    }
    Ok(findings)
}

/// Sets objects aside whose keys fall into this segment and that no version claims: they came after the moment
/// that the service was restored to, and their keys will be given out again. How many.
pub async fn set_unclaimed_aside(
    operator: &Operator,
    bucket: &Bucket,
    segment: Segment,
) -> Result<u64, StoreError> {
    let (mut aside, mut from) = (0, None);
    loop {
        let page = bucket.list(from).await?;
        let objects = page.objects.into_iter().filter(|it| falls_into(segment, &it.key));
        let parsed = objects.filter_map(|StoredObject { key, .. }| key.parse().ok());
        let keys: Vec<Announced> = parsed.collect();
        let versions: Vec<_> = keys.iter().map(Announced::version).collect();
        let found = operator.table(TableKind::Records).look_up(&versions).await?;
        let claimed: HashSet<_> = found
            .into_iter()
            .filter_map(|found| match found {
                ScannedItem::Current(it) => Some(it.current()),
                // Damaged, it claims its bytes all the same.
                ScannedItem::Unreadable { key, .. } => Some(key),
                _ => None,
            })
            .collect();
        for key in keys.iter().filter(|key| !claimed.contains(&key.version())) {
            bucket.delete(&key.to_string()).await?;
            aside += 1;
        }
        from = page.next;
        if from.is_none() {
            return Ok(aside);
        }
    }
}
