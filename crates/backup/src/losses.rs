//! What a table in use has lost, what was altered in it and what was slipped in: held item by item against
//! a copy from before, where the sums of the two differ.

use domain::Timestamp;
use futures_util::future::{try_join, try_join_all};
use store::operator::{ItemFacts, Operator, Reading, ScannedItem, Segment, Table};
use store::{RowKey, StoreError, TableKind};

use crate::known::look_up;
use crate::manifest::{SEGMENTS, counted_digest};
use crate::verify::check;
use crate::{Buckets, Cause, Findings, Manifest, Suspects};

/// What is looked for, and what it is called.
pub(crate) struct Losses<'a> {
    pub in_use: &'a Table,
    pub copy: &'a Table,
    /// Of the manifest that both are held against.
    pub cut: Timestamp,
    pub suspects: Suspects,
    pub called: Called,
}

/// The causes that differences are noted with.
#[derive(Clone, Copy)]
pub(crate) struct Called {
    pub vanished: Cause,
    pub altered: Cause,
    pub backdated: Cause,
}

impl Called {
    /// Found between a backup and its test.
    pub const DIVERGED: Self =
        Self { vanished: Cause::Diverged, altered: Cause::Diverged, backdated: Cause::Diverged };

    /// Found where the chain of evenings does not go on.
    const GONE: Self =
        Self { vanished: Cause::Vanished, altered: Cause::Altered, backdated: Cause::Backdated };
}

/// Names what a table in use has lost since the evening of `manifest`, of which `copy` is a backup.
pub async fn losses(
    operator: &Operator,
    kind: TableKind,
    copy: &str,
    manifest: &Manifest,
) -> Result<Findings, StoreError> {
    let (in_use, copy) = (operator.table(kind), operator.copy(kind, copy));
    let cut = manifest.cut;
    let sums = try_join(
        check(&in_use, None, cut, Segment::WHOLE),
        check(&copy, None, cut, Segment::WHOLE),
    )
    .await?;
    let suspects = sums.0.lasting.differing(&sums.1.lasting);
    if suspects.is_empty() {
        return Ok(Findings::default());
    }
    let losses = Losses { in_use: &in_use, copy: &copy, cut, suspects, called: Called::GONE };
    losses.run(&manifest.table(kind.name()).buckets).await
}

/// What was found, and what the copy has, to be held against the manifest.
#[derive(Default)]
struct Part {
    findings: Findings,
    copied: Buckets,
}

impl Losses<'_> {
    pub async fn run(&self, expected: &Buckets) -> Result<Findings, StoreError> {
        let segments = Segment::WHOLE.split(SEGMENTS).map(async |segment| {
            let mut part = Part::default();
            let mut pages = self.copy.read(Reading::Lasting, segment);
            while let Some(page) = pages.next().await? {
                self.look_for(page, &mut part).await?;
            }
            let mut pages = self.in_use.read(Reading::Lasting, segment);
            while let Some(page) = pages.next().await? {
                self.look_at(page, &mut part.findings).await?;
            }
            Ok::<_, StoreError>(part)
        });
        let mut whole = Part::default();
        for part in try_join_all(segments).await? {
            whole.findings.merge(part.findings);
            whole.copied.merge(&part.copied);
        }
        for (bucket, then, now) in expected.differences(&whole.copied, self.suspects) {
            let what = format!(
                "held {then} at the cut, and the copy holds {now}: it is not what was either"
            );
            let key = format!("{}, part {bucket}", self.copy.kind().name());
            whole.findings.note(Cause::Diverged, key, what);
        }
        Ok(whole.findings)
    }

    fn is_before(&self, it: &ItemFacts) -> bool {
        it.changed_at.is_none_or(|at| at < self.cut)
    }

    /// What the copy has is in use, whenever it was written: what is written stays.
    async fn look_for(&self, page: Vec<ScannedItem>, part: &mut Part) -> Result<(), StoreError> {
        let mut wanted = Vec::new();
        for found in page {
            let (thing, key, digest, counts) = match found {
                ScannedItem::Lasting(it) => {
                    let counts = !it.as_written || self.is_before(&it);
                    (it.thing, it.key, counted_digest(&it.digest, it.as_written), counts)
                }
                ScannedItem::Unreadable { key, digest } => {
                    (key.to_string(), key, counted_digest(&digest, false), true)
                }
                ScannedItem::Current(_) | ScannedItem::Unproven => continue,
            };
            if counts {
                part.copied.add(&thing, &digest);
            }
            if self.suspects.has(&thing) {
                wanted.push((key, digest));
            }
        }
        let there = look_up(self.in_use, wanted.iter().map(|(key, _)| key.clone())).await?;
        for (key, digest) in wanted {
            match there.get(&key) {
                None => part.findings.note(self.called.vanished, key, "is not in use any more"),
                Some(it) if counted_digest(&it.digest, it.as_written) != digest => {
                    part.findings.note(self.called.altered, key, "is another in use than it was");
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// What is in use and says that it is from before the cut is in the copy. What is damaged says nothing
    /// that can be believed: it may be younger.
    async fn look_at(
        &self,
        page: Vec<ScannedItem>,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let before = page.into_iter().filter_map(|found| match found {
            ScannedItem::Lasting(it) if it.as_written && !self.is_before(&it) => None,
            ScannedItem::Lasting(it) => Some((it.thing, it.key, it.as_written)),
            ScannedItem::Unreadable { key, .. } => Some((key.to_string(), key, false)),
            ScannedItem::Current(_) | ScannedItem::Unproven => None,
        });
        let before: Vec<(RowKey, bool)> = before
            .filter(|(thing, ..)| self.suspects.has(thing))
            .map(|(_, key, as_written)| (key, as_written))
            .collect();
        let copied = look_up(self.copy, before.iter().map(|(key, _)| key.clone())).await?;
        for (key, as_written) in before.into_iter().filter(|(key, _)| !copied.contains_key(key)) {
            if as_written {
                let what = format!("says that it is from before {}, and was not there", self.cut);
                findings.note(self.called.backdated, key, what);
            } else {
                findings.note(Cause::DamagedInUse, key, "is not what was written");
            }
        }
        Ok(())
    }
}
