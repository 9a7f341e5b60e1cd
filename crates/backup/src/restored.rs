//! What a restored service needs before it is used: halves of changes made whole, bytes for every
//! appendix version, and room in the bucket for those to come.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use domain::{Digest, Timestamp};
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use store::operator::{Bucket, Counterpart, Operator, Reading, ScannedItem, Segment, StoredObject};
use store::{Announced, StoreError, TableKind};

use crate::known::look_up;
use crate::manifest::SEGMENTS;
use crate::objects::AT_ONCE;
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

impl From<&[Announced]> for Dangling {
    fn from(all: &[Announced]) -> Self {
        let named = all.iter().take(NAMED_MAX).map(ToString::to_string).collect();
        Self { count: all.len() as u64, named }
    }
}

/// What the bucket has that the restored tables do not know of.
#[derive(Default)]
pub struct Unknown {
    /// Objects that no version claims any more, and that were set aside.
    pub aside: u64,
    /// Bytes of versions that were reserved before the moment, and noted after it.
    pub unnoted: Vec<Announced>,
}

/// Completes every change that the restore has cut in two. How many.
pub async fn mend(operator: &Operator, kind: TableKind) -> Result<u64, StoreError> {
    let table = operator.copy(kind, operator.table_name(kind));
    // From before the beginning there is nothing: the sums say where table and revisions differ.
    let sums = check(&table, Timestamp::from_millis(i64::MIN)).await?;
    let suspects = sums.suspects(&TableManifest::default());
    if suspects.is_empty() {
        return Ok(0);
    }
    let segments = (0..SEGMENTS).map(async |index| {
        let mut mended = 0;
        let mut pages =
            operator.table(kind).read(Reading::Everything, Segment { index, of: SEGMENTS });
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
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut erased = 0;
    for kind in TableKind::ALL.into_iter().filter(|kind| kind.has_revisions()) {
        if in_use.table_state(in_use.table_name(kind)).await?.is_none() {
            continue;
        }
        let segments = (0..SEGMENTS).map(async |index| {
            let mut erased = 0;
            let mut pages =
                in_use.table(kind).read(Reading::Lasting, Segment { index, of: SEGMENTS });
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

/// Appendix versions that say they are stored and whose bytes are not there, or are others. What the bucket
/// itself has of them is brought back first, from what is hidden or was written over; then, where there is
/// one, what `from` has, a copy of the bucket.
pub async fn dangling(
    operator: &Operator,
    bucket: &Bucket,
    from: Option<&Bucket>,
) -> Result<Vec<Announced>, StoreError> {
    let segments = (0..SEGMENTS).map(async |index| {
        let segment = Segment { index, of: SEGMENTS };
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
    if bucket.digest(&key).await? == Some(declared) {
        return Ok(None);
    }
    for version in bucket.versions(&key).await? {
        if bucket.digest_of(&key, Some(&version)).await? == Some(declared) {
            bucket.bring_back(&key, bucket, Some(&version)).await?;
            return Ok(None);
        }
    }
    if let Some(from) = from
        && from.digest(&key).await? == Some(declared)
    {
        bucket.bring_back(&key, from, None).await?;
        return Ok(None);
    }
    Ok(Some(key))
}

/// What is in the tables in use from before a moment, and not in those that were restored to it: a restore that
/// has lost something. What was written right before may have been committed after.
pub async fn not_restored(
    in_use: &Operator,
    restored: &Operator,
    to: Timestamp,
) -> Result<Findings, StoreError> {
    let before = to.before(UNDER_WAY);
    let mut findings = Findings::default();
    for kind in TableKind::ALL.into_iter().filter(|kind| kind.has_revisions()) {
        if in_use.table_state(in_use.table_name(kind)).await?.is_none() {
            continue;
        }
        let segments = (0..SEGMENTS).map(async |index| {
            let mut findings = Findings::default();
            let segment = Segment { index, of: SEGMENTS };
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

/// Sets objects aside that no version claims: they came after the moment that the service was
/// restored to, and their keys will be given out again. What is claimed and not noted is told.
pub async fn set_unclaimed_aside(
    operator: &Operator,
    bucket: &Bucket,
) -> Result<Unknown, StoreError> {
    let (mut unknown, mut from) = (Unknown::default(), None);
    loop {
        let page = bucket.list(from).await?;
        let parsed =
            page.objects.into_iter().filter_map(|StoredObject { key, .. }| key.parse().ok());
        let keys: Vec<Announced> = parsed.collect();
        let versions: Vec<_> = keys.iter().map(Announced::version).collect();
        let found = operator.table(TableKind::Records).look_up(&versions).await?;
        let claimed: HashMap<_, _> = found
            .into_iter()
            .filter_map(|found| match found {
                ScannedItem::Current(it) => Some((it.current(), it.awaits_bytes)),
                // Damaged, it claims its bytes all the same.
                ScannedItem::Unreadable { key, .. } => Some((key, false)),
                _ => None,
            })
            .collect();
        for key in keys {
            match claimed.get(&key.version()) {
                None => {
                    bucket.delete(&key.to_string()).await?;
                    unknown.aside += 1;
                }
                Some(true) => unknown.unnoted.push(key),
                Some(false) => {}
            }
        }
        from = page.next;
        if from.is_none() {
            return Ok(unknown);
        }
    }
}
