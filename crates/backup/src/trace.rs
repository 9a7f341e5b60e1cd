//! The close look at a copy: item by item, where its sums are not what they should be. Each item is
//! held against the one in use, which is trusted as far as it still adds up to the manifest.

use domain::{Digest, Timestamp, Version};
use futures_util::future::try_join_all;
use store::operator::{
    Counterpart, ItemFacts, Operator, Pages, Reading, ScannedItem, Segment, Table,
};
use store::{RowKey, StoreError, TableKind};

use crate::known::{KnownItem, look_up};
use crate::manifest::{SEGMENTS, counted_digest};
use crate::{Buckets, Cause, Findings, Suspects};

/// What to look at closely.
pub struct Trace<'a> {
    pub operator: &'a Operator,
    pub copy: &'a Table,
    pub cut: Timestamp,
    pub suspects: Suspects,
}

/// What was found, and what is in use, to be held against the manifest.
#[derive(Default)]
struct Traced {
    findings: Findings,
    in_use: Buckets,
}

impl Trace<'_> {
    pub async fn run(&self, expected: &Buckets) -> Result<Findings, StoreError> {
        let segments = Segment::WHOLE.split(SEGMENTS).map(async |segment| {
            let mut traced = Traced::default();
            let mut pages = self.copy.read(Reading::Everything, segment);
            while let Some(page) = pages.next().await? {
                self.look_at_copy(page, &mut traced.findings).await?;
            }
            if let Some(mut pages) = self.in_use(segment) {
                while let Some(page) = pages.next().await? {
                    self.look_for(page, &mut traced).await?;
                }
            }
            Ok::<_, StoreError>(traced)
        });
        let mut whole = Traced::default();
        for part in try_join_all(segments).await? {
            whole.findings.merge(part.findings);
            whole.in_use.merge(&part.in_use);
        }
        for (bucket, then, now) in expected.differences(&whole.in_use, self.suspects) {
            let what = format!("held {then} at the cut, and holds {now} of that time now");
            whole.findings.note(Cause::Diverged, format!("bucket {bucket}"), what);
        }
        Ok(whole.findings)
    }

    /// What in use says what has to be in the copy. Nothing says what passes.
    fn in_use(&self, segment: Segment) -> Option<Pages> {
        let proof = self.copy.kind().proven_by()?;
        Some(self.operator.table(proof).read(Reading::Lasting, segment))
    }

    /// Holds what the copy has against what is in use.
    async fn look_at_copy(
        &self,
        page: Vec<ScannedItem>,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let (mut lasting, mut current, mut damaged) = (Vec::new(), Vec::new(), Vec::new());
        for found in page {
            match found {
                ScannedItem::Lasting(it) if !self.suspects.has(&it.thing) => {}
                ScannedItem::Current(it) if !self.suspects.has(&it.thing) => {}
                ScannedItem::Lasting(it) | ScannedItem::Current(it) if !it.as_written => {
                    damaged.push((it.key, it.digest));
                }
                ScannedItem::Lasting(it) => lasting.push(it),
                ScannedItem::Current(it) => current.push(it),
                ScannedItem::Unreadable { key, digest } if self.suspects.has(&key.to_string()) => {
                    damaged.push((key, digest));
                }
                ScannedItem::Unreadable { .. } | ScannedItem::Unproven => {}
            }
        }
        self.look_at_damaged(&damaged, findings).await?;
        self.look_at_lasting(&lasting, findings).await?;
        self.look_at_current(&current, findings).await
    }

    /// What is not as it was written may be so in use, too.
    async fn look_at_damaged(
        &self,
        damaged: &[(RowKey, Digest)],
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        if damaged.is_empty() || self.copy.kind().proven_by() != Some(self.copy.kind()) {
            let keys = damaged.iter().map(|(key, _)| key);
            keys.for_each(|key| findings.note(Cause::Altered, key, "cannot be read"));
            return Ok(());
        }
        let keys = damaged.iter().map(|(key, _)| key.clone());
        let in_use = look_up(&self.operator.table(self.copy.kind()), keys).await?;
        for (key, digest) in damaged {
            match in_use.get(key) {
                Some(it) if it.digest == *digest && !it.as_written => {
                    findings.note(Cause::DamagedInUse, key, "is damaged in use, too");
                }
                _ => findings.note(Cause::Altered, key, "is not what was written"),
            }
        }
        Ok(())
    }

    async fn look_at_lasting(
        &self,
        lasting: &[ItemFacts],
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        // A login is there because of its user's first revision, anything else for its own sake.
        let reason = |it: &ItemFacts| it.reason.clone().unwrap_or_else(|| it.key.clone());
        let proof = self.copy.kind().proven_by().unwrap_or(self.copy.kind());
        let in_use = look_up(&self.operator.table(proof), lasting.iter().map(reason)).await?;
        for it in lasting {
            let young = it.changed_at.is_some_and(|at| at >= self.cut);
            match in_use.get(&reason(it)) {
                // What is damaged there does not say what there has to be here.
                Some(other) if it.reason.is_some() && !other.as_written => {
                    let what = "is of a user whose first revision is damaged in use";
                    findings.note(Cause::DamagedInUse, &it.key, what);
                }
                Some(other) => {
                    let digest = match other.facts.as_ref().and_then(|it| it.counterpart.as_ref()) {
                        Some(Counterpart::Login { digest, .. }) if it.reason.is_some() => *digest,
                        _ => other.digest,
                    };
                    if digest != it.digest && !young {
                        findings.note(Cause::Altered, &it.key, "is not what was written");
                    }
                }
                // The first look has looked at it.
                None if young => {}
                None => findings.note(Cause::Extra, &it.key, "was never there"),
            }
        }
        Ok(())
    }

    /// Each thing has to be what one of its revisions says, and that has to be the newest.
    async fn look_at_current(
        &self,
        current: &[ItemFacts],
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let version = |it: &ItemFacts| it.version.unwrap_or(Version::FIRST);
        let this = |it: &ItemFacts| it.revision(version(it));
        let next = |it: &ItemFacts| it.revision(version(it).next());
        let revisions = || current.iter().flat_map(|it| [this(it), next(it)]);
        let things = current.iter().map(ItemFacts::current);
        let (in_use, copied) = (
            look_up(&self.operator.table(self.copy.kind()), revisions().chain(things)).await?,
            look_up(self.copy, revisions()).await?,
        );
        let is_young = |it: &ItemFacts| it.changed_at.is_some_and(|at| at >= self.cut);
        for it in current {
            let key = it.current();
            let Some(written) = in_use.get(&this(it)) else {
                if is_young(it) {
                    let what = "stands at a revision that is not in use";
                    findings.note(Cause::Diverged, key, what);
                } else {
                    findings.note(Cause::Altered, key, "stands at a revision that was never there");
                }
                continue;
            };
            if written.digest != it.digest {
                // Then the thing in use is all there is to hold it against.
                let same = in_use.get(&key).is_some_and(|now| now.digest == it.digest);
                if same && !written.as_written {
                    findings.note(
                        Cause::DamagedInUse,
                        key,
                        "is of a revision that is damaged in use",
                    );
                } else {
                    findings.note(Cause::Altered, key, "is not what its newest revision says");
                }
                continue;
            }
            let is_old = |next: &KnownItem| next.facts.as_ref().is_none_or(|next| !is_young(next));
            let followed = in_use.get(&next(it)).is_some_and(is_old);
            let next = copied.get(&next(it));
            if followed || next.is_some_and(is_old) {
                findings.note(Cause::Older, key, "was changed again before the cut");
            } else if next.is_some() || is_young(it) && !copied.contains_key(&this(it)) {
                findings.note(Cause::Torn, key, "was being changed");
            }
        }
        Ok(())
    }

    /// Looks in the copy for what was in use at the cut.
    async fn look_for(
        &self,
        page: Vec<ScannedItem>,
        traced: &mut Traced,
    ) -> Result<(), StoreError> {
        let mut wanted = Vec::new();
        for found in page {
            match found {
                ScannedItem::Lasting(it) => {
                    if let Some(key) = self.wanted(it, &mut traced.in_use) {
                        wanted.extend(key);
                    }
                }
                ScannedItem::Unreadable { key, digest }
                    if self.copy.kind() != TableKind::Logins =>
                {
                    traced.in_use.add(&key.to_string(), &counted_digest(&digest, false));
                }
                _ => {}
            }
        }
        let copied = look_up(self.copy, wanted.iter().cloned()).await?;
        for key in wanted.iter().filter(|key| !copied.contains_key(key)) {
            traced.findings.note(Cause::Missing, key, "is not in the copy");
        }
        Ok(())
    }

    /// What has to be in the copy because `it` was in use at the cut; it is counted, too.
    fn wanted(&self, it: ItemFacts, in_use: &mut Buckets) -> Option<Vec<RowKey>> {
        if it.as_written && it.changed_at.is_some_and(|at| at >= self.cut) {
            return None;
        }
        if self.copy.kind() == TableKind::Logins {
            let Some(Counterpart::Login { key, digest }) = it.counterpart else { return None };
            let thing = key.to_string();
            in_use.add(&thing, &digest);
            return self.suspects.has(&thing).then(|| vec![key]);
        }
        in_use.add(&it.thing, &counted_digest(&it.digest, it.as_written));
        if !self.suspects.has(&it.thing) {
            return None;
        }
        // With its first revision, a thing is there.
        let current = (it.version == Some(Version::FIRST)).then(|| it.current());
        Some(std::iter::once(it.key).chain(current).collect())
    }
}
