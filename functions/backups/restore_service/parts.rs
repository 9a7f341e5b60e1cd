//! What each step of a restore reads, and does with what it has read: all of it at once; or a part in each of many
//! functions, which keep what they have found, for one that puts it together.

use std::collections::BTreeMap;

use backup::{Base, EveningPart, Findings, Manifest, Summary, TableCheck, Verifier};
use domain::Timestamp;
use runtime::EventError;
use serde::{Deserialize, Serialize};
use store::operator::{Bucket, Operator, Segment};
use store::{Announced, TableKind};

use super::Context;
use super::plan::Restore;
use crate::appendices::store as store_appendix;
use crate::backups::open_run::redacted_since;
use crate::resources::Backups;
use crate::shapes::RestoreState;

/// What a step has found and done, or a part of one.
#[derive(Default, Serialize, Deserialize)]
pub struct Part {
    pub mended: u64,
    pub erased_again: u64,
    /// Keys of appendix versions without their bytes.
    pub dangling: Vec<String>,
    /// Records in the index.
    #[serde(default)]
    pub listed: u64,
    pub tables: BTreeMap<String, TableCheck>,
    pub evening: EveningPart,
    pub findings: Findings,
    pub set_aside: u64,
}

impl Part {
    fn merge(&mut self, other: Self) {
        self.mended += other.mended;
        self.erased_again += other.erased_again;
        self.dangling.extend(other.dangling);
        self.listed += other.listed;
        for (table, check) in other.tables {
            self.tables.entry(table).or_default().merge(&check);
        }
        self.evening.merge(other.evening);
        self.findings.merge(other.findings);
        self.set_aside += other.set_aside;
    }
}

/// What a step works on.
pub struct Work<'a> {
    pub context: &'a Context,
    pub restore: &'a Restore,
    /// The restored tables, with the ledger in use.
    pub restored: &'a Operator,
    pub now: Timestamp,
}

impl Work<'_> {
    /// All that a step finds: at once; or what its parts have kept, and nothing while one of them has not.
    pub async fn whole(&self, segments: Option<u32>) -> Result<Option<Part>, EventError> {
        let Some(of) = segments else { return self.look(Segment::WHOLE).await.map(Some) };
        let mut whole = Part::default();
        for index in 0..of {
            let key = self.key(Segment { index, of });
            let Some(kept) = self.context.backups.evidence.find(&key).await? else {
                return Ok(None);
            };
            whole.merge(serde_json::from_slice(&kept)?);
        }
        Ok(Some(whole))
    }

    /// Does one part, unless it was done, and keeps what it has found.
    pub async fn part(&self, segment: Segment) -> Result<(), EventError> {
        let (evidence, key) = (&self.context.backups.evidence, self.key(segment));
        if evidence.find(&key).await?.is_none() {
            evidence.keep(&key, serde_json::to_vec(&self.look(segment).await?)?).await?;
        }
        Ok(())
    }

    /// A step that is gone through again is noted in between, and has other parts.
    fn key(&self, Segment { index, of }: Segment) -> String {
        let Restore { restored_as, turn, .. } = self.restore;
        format!("parts/restores/{restored_as}/{turn}-{index}-of-{of}.json")
    }

    async fn look(&self, segment: Segment) -> Result<Part, EventError> {
        match self.restore.state {
            RestoreState::Filling => self.mend(segment).await,
            RestoreState::Mended => self.erase(segment).await,
            RestoreState::Erased => {
                let copy = self.restore.bucket_copy.as_ref();
                let copy = copy.map(|(name, _)| self.context.backups.bucket.copy(name));
                let listed = self.restored.build_index(segment, self.now).await?;
                let part = self.bring_back(self.restored, copy.as_ref(), segment).await?;
                Ok(Part { listed, ..part })
            }
            RestoreState::Attached => self.verify(segment).await,
            RestoreState::Ready => self.make_room(segment).await,
            // The switch was taken back.
            RestoreState::Done => {
                self.note_bytes(segment).await?;
                self.bring_back(&self.context.backups.operator, None, segment).await
            }
            RestoreState::Abandoned => Ok(Part::default()),
        }
    }

    /// Completes what was cut in two.
    async fn mend(&self, segment: Segment) -> Result<Part, EventError> {
        let mut mended = 0;
        for kind in TableKind::all_with_revisions() {
            mended += backup::mend(self.restored, kind, segment).await?;
        }
        Ok(Part { mended, ..Part::default() })
    }

    /// Erases again what was erased: as the ledger has it, and as the tables in use have it.
    async fn erase(&self, segment: Segment) -> Result<Part, EventError> {
        let in_use = &self.context.backups.operator;
        let by_ledger = self.restored.erase_again(segment, self.now).await?;
        let as_in_use =
            backup::erase_what_is_erased_in_use(in_use, self.restored, segment, self.now).await?;
        Ok(Part { erased_again: by_ledger + as_in_use, ..Part::default() })
    }

    /// Sees to it that every appendix version has its bytes: from the bucket in use, where nothing is ever
    /// deleted, or else from a backup of it.
    async fn bring_back(
        &self,
        operator: &Operator,
        copy: Option<&Bucket>,
        segment: Segment,
    ) -> Result<Part, EventError> {
        let bucket = &self.context.backups.bucket;
        let dangling = backup::dangling(operator, bucket, copy, segment).await?;
        let dangling = dangling.iter().map(Announced::to_string).collect();
        Ok(Part { dangling, ..Part::default() })
    }

    /// Holds the new tables against the manifest, and against what is in use.
    async fn verify(&self, segment: Segment) -> Result<Part, EventError> {
        let mut part = Part::default();
        let (_, manifest) = self.manifest().await?;
        let verifier = self.verifier(&manifest);
        for kind in TableKind::all_from_the_past() {
            let check = verifier.segment(kind, self.restored.table_name(kind), segment).await?;
            part.tables.insert(kind.name().to_owned(), check);
        }
        let (in_use, to) = (&self.context.backups.operator, self.restore.to);
        // Between the manifest and the moment, only the tables themselves say what there was.
        part.evening = backup::evening_part(self.restored, to, &Base::default(), segment).await?;
        part.findings = backup::not_restored(in_use, self.restored, to, segment).await?;
        Ok(part)
    }

    /// What the verification comes to: against which run's manifest, and what is not so.
    pub async fn judge(&self, found: Part) -> Result<(Option<Timestamp>, Findings), EventError> {
        let (run, manifest) = self.manifest().await?;
        let mut findings = found.findings;
        for kind in TableKind::all_from_the_past() {
            let (copy, check) = (self.restored.table_name(kind), &found.tables[kind.name()]);
            findings.merge(self.verifier(&manifest).conclude(kind, copy, check).await?.findings);
        }
        findings.merge(backup::gaps(self.restored, found.evening).await?);
        Ok((run, findings))
    }

    fn verifier<'a>(&'a self, manifest: &'a Manifest) -> Verifier<'a> {
        let bucket = &self.context.backups.bucket;
        Verifier { operator: self.restored, bucket, manifest, looks_in_use: false }
    }

    /// The newest manifest from before the moment, with its run.
    async fn manifest(&self) -> Result<(Option<Timestamp>, Manifest), EventError> {
        let Backups { operator, evidence, .. } = &self.context.backups;
        if let Some(run) = operator.run_before(self.restore.to).await? {
            let manifest = Manifest::from_json(&evidence.read(&run.manifest).await?)?;
            // Who was forgotten since is forgotten in the new tables, too.
            let links = operator.links().await?;
            let manifest = manifest.without(redacted_since(&links, &run));
            return Ok((Some(run.scheduled_at), manifest));
        }
        // Of a service that is younger than its first evening: it has to agree with itself.
        let cut = Timestamp::from_millis(i64::MIN);
        let summary = Summary { revisions: 0, digest: String::new(), damaged: 0 };
        Ok((None, Manifest { cut, summary, tables: BTreeMap::new(), previous: None }))
    }

    /// Erases again what was erased until the switch, and makes room in the bucket for what the new tables
    /// will be given.
    async fn make_room(&self, segment: Segment) -> Result<Part, EventError> {
        if !self.context.is_switched(self.restore) {
            return Err("the service does not run on the new tables".into());
        }
        let Backups { operator, bucket, .. } = &self.context.backups;
        let erased_again = operator.erase_again(segment, self.now).await?;
        self.note_bytes(segment).await?;
        let set_aside = backup::set_unclaimed_aside(operator, bucket, segment).await?;
        Ok(Part { erased_again, set_aside, ..Part::default() })
    }

    /// Notes bytes that came, and that the tables in use do not know of.
    async fn note_bytes(&self, segment: Segment) -> Result<(), EventError> {
        let Context { backups, store, objects, .. } = self.context;
        let come = backup::not_noted(&backups.operator, &backups.bucket, segment).await?;
        for key in come {
            store_appendix::note(store, objects, &key.to_string(), self.now).await?;
        }
        Ok(())
    }
}
