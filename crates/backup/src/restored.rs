//! What a restored service needs before it is used: halves of changes made whole, bytes for every
//! appendix version, and room in the bucket for those to come.

use std::collections::HashSet;

use domain::{Digest, Timestamp};
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use store::operator::{Bucket, Counterpart, Operator, Reading, ScannedItem, Segment, StoredObject};
use store::{Announced, StoreError, TableKind};

use crate::TableManifest;
use crate::manifest::SEGMENTS;
use crate::objects::AT_ONCE;
use crate::verify::check;

/// So many keys are named; more are counted.
const NAMED_MAX: usize = 100;

/// Appendix versions whose bytes are not in the bucket, or are others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dangling {
    pub count: u64,
    pub named: Vec<String>,
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

/// Appendix versions that say they are stored and whose bytes are not there. `from` a copy of the
/// bucket, where there is one, the bytes are brought back first.
pub async fn dangling(
    operator: &Operator,
    bucket: &Bucket,
    from: Option<&Bucket>,
) -> Result<Dangling, StoreError> {
    let segments = (0..SEGMENTS)
        .map(|index| dangling_in(operator, bucket, from, Segment { index, of: SEGMENTS }));
    let all = try_join_all(segments).await?.concat();
    let named = all.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    Ok(Dangling { count: all.len() as u64, named })
}

/// The same of one segment of the records.
pub(crate) async fn dangling_in(
    operator: &Operator,
    bucket: &Bucket,
    from: Option<&Bucket>,
    segment: Segment,
) -> Result<Vec<Announced>, StoreError> {
    let mut dangling = Vec::new();
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
        let missing: Vec<Option<Announced>> = stream::iter(stored)
            .map(|(key, digest)| bring_back_or_name(bucket, from, key, digest))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        dangling.extend(missing.into_iter().flatten());
    }
    Ok(dangling)
}

/// The key, if it has no bytes or others, and they cannot be brought back.
async fn bring_back_or_name(
    bucket: &Bucket,
    from: Option<&Bucket>,
    key: Announced,
    declared: Digest,
) -> Result<Option<Announced>, StoreError> {
    let found = bucket.digest(&key).await?;
    if found == Some(declared) {
        return Ok(None);
    }
    if let (None, Some(from)) = (found, from)
        && from.digest(&key).await? == Some(declared)
    {
        bucket.bring_back(&key, from).await?;
        return Ok(None);
    }
    Ok(Some(key))
}

/// Sets objects aside that no version claims: they came after the moment that the service was
/// restored to, and their keys will be given out again. How many.
pub async fn set_unclaimed_aside(operator: &Operator, bucket: &Bucket) -> Result<u64, StoreError> {
    let (mut aside, mut from) = (0, None);
    loop {
        let page = bucket.list(from).await?;
        let parsed =
            page.objects.into_iter().filter_map(|StoredObject { key, .. }| key.parse().ok());
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
