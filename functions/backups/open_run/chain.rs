//! Which earlier evening tonight is held against, and whether the evidence of all of them is there.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use backup::{Base, Cause, Findings, Manifest, Previous};
use domain::Timestamp;
use futures_util::future::try_join;
use runtime::EventError;
use runtime::clock::CLOCKS_DIFFER;
use serde::{Deserialize, Serialize};
use store::TableKind;
use store::operator::{BackupRun, Evidence, Link, LinkReason, Operator, Redaction, Verification};

use crate::backups::documents::{Documents, document_digest};
use crate::shapes::{Chain, RestoreState};

/// The earlier evenings.
pub struct Earlier {
    /// Oldest first; not tonight's.
    runs: Vec<BackupRun>,
    links: Vec<Link>,
    verifications: Vec<Verification>,
}

/// What tonight stands on.
pub struct Ground {
    pub base: Base,
    /// The runs of that: of the tables that a restore brings back, and of the ledger.
    runs: [Option<BackupRun>; 2],
    /// The cut from which the chain goes on; `None`: it begins tonight.
    pub since: Option<Timestamp>,
}

impl Ground {
    /// The run whose manifest a table is held against.
    pub fn run_of(&self, kind: TableKind) -> Option<&BackupRun> {
        self.runs[usize::from(kind == TableKind::Ledger)].as_ref()
    }
}

/// Two times, of which one is wrong.
#[derive(Debug, Serialize)]
pub struct Clock {
    /// What the machine's clock says.
    pub machine: Timestamp,
    /// What it was already when somebody looked before.
    pub service: Timestamp,
}

/// As much of a restore as has to be known here.
#[derive(Deserialize)]
struct Restored {
    to: Timestamp,
    opened_at: Timestamp,
    restored_as: String,
    state: RestoreState,
}

impl Earlier {
    pub async fn of(operator: &Operator, tonight: Timestamp) -> Result<Self, EventError> {
        let mut runs = operator.runs().await?;
        runs.retain(|run| run.scheduled_at != tonight);
        let (links, verifications) =
            try_join(operator.links(), operator.all_verifications()).await?;
        Ok(Self { runs, links, verifications })
    }

    /// Takes up runs that were cut off between their manifest and their row: nothing says yet how the chain
    /// stood in them. They are noted as none to go on from.
    pub async fn take_up(
        &mut self,
        operator: &Operator,
        evidence: &Evidence,
        tonight: Timestamp,
    ) -> Result<(), EventError> {
        let chain: Option<Chain> = operator.policy_of(Chain::NAME).await?;
        // Where nothing was ever told, the ledger may have lost all that it knew.
        let Some(told) = chain.map(|chain| chain.run) else { return Ok(()) };
        for key in evidence.keys("manifests/").await? {
            let known = self.runs.iter().any(|run| run.manifest == key);
            let time = key.strip_prefix("manifests/").and_then(|it| it.strip_suffix(".json"));
            let time = time.and_then(|text| serde_json::from_value(text.into()).ok());
            let late = |time: &Timestamp| *time > told && *time < tonight;
            let Some(scheduled_at) = time.filter(|time| !known && late(time)) else { continue };
            let bytes = evidence.read(&key).await?;
            let Ok(manifest) = Manifest::from_json(&bytes) else { continue };
            let before = self.runs.iter().rfind(|run| run.scheduled_at < scheduled_at);
            let named = manifest.previous.as_ref().map(|previous| &previous.key);
            if named != before.map(|run| &run.manifest) {
                continue;
            }
            let run = BackupRun {
                scheduled_at,
                cut: manifest.cut,
                opened_at: scheduled_at,
                manifest: key,
                revisions: manifest.summary.revisions,
                digest: manifest.summary.digest,
                document: Some(document_digest(&bytes)),
                holds: Some(false),
                of: operator.tables().records.clone(),
            };
            tracing::warn!(run = %run.scheduled_at, "a run that was cut off is noted");
            operator.note_run(&run).await?;
            self.runs.push(run);
        }
        self.runs.sort_by_key(|run| run.scheduled_at);
        Ok(())
    }

    /// The run before tonight.
    pub fn last(&self) -> Option<&BackupRun> {
        self.runs.last()
    }

    /// What is in the evidence of them.
    pub fn documents(&self) -> Documents {
        Documents::new(&self.runs, &self.verifications)
    }

    /// What tonight's manifest says of the evening before.
    pub async fn previous(&self, evidence: &Evidence) -> Result<Option<Previous>, EventError> {
        let Some(last) = self.last() else { return Ok(None) };
        let document = match &last.document {
            Some(document) => document.clone(),
            // The release before has not noted it.
            None => match evidence.find(&last.manifest).await? {
                Some(bytes) => document_digest(&bytes),
                None => return Ok(None),
            },
        };
        let of_last = self.verifications.iter().filter(|it| it.run == last.scheduled_at);
        let reports = of_last.filter_map(|it| Some((it.report.clone(), it.document.clone()?)));
        Ok(Some(Previous { key: last.manifest.clone(), document, reports: reports.collect() }))
    }

    /// What was found before, and somebody has accepted.
    pub fn accepted(&self) -> HashSet<&str> {
        self.links.iter().flat_map(|link| &link.accepted).map(String::as_str).collect()
    }

    /// A run from which the chain may go on: all was there, or somebody has looked at what was not.
    fn may_be_gone_on_from(&self, run: &BackupRun) -> bool {
        let acknowledged =
            |link: &Link| link.reason == LinkReason::Acknowledged && link.run == run.scheduled_at;
        let holds = run.holds != Some(false) || self.links.iter().any(acknowledged);
        holds && !self.was_of_a_wrong_clock(run)
    }

    /// Said already: it was opened at a time that was still to come.
    fn was_of_a_wrong_clock(&self, run: &BackupRun) -> bool {
        let of_run = |link: &&Link| link.run == run.scheduled_at;
        self.links.iter().filter(of_run).any(|link| link.reason == LinkReason::Clock)
    }

    /// The newest such run of these, from before `cut`.
    fn newest(&self, cut: Timestamp, of: impl Fn(&BackupRun) -> bool) -> Option<&BackupRun> {
        let mut newest_first = self.runs.iter().rev();
        newest_first.find(|run| run.cut <= cut && of(run) && self.may_be_gone_on_from(run))
    }

    /// What no clock may say: the machine's is behind the service's time, or an earlier run was opened at a
    /// time that is still to come. Nothing is ever held against such a run again.
    pub async fn check_clock(
        &mut self,
        operator: &Operator,
        now: Timestamp,
        behind: Duration,
    ) -> Result<Option<Clock>, EventError> {
        let ahead = now.after(CLOCKS_DIFFER);
        let to_come = self.runs.iter().filter(|run| run.opened_at > ahead);
        let to_come: Vec<BackupRun> =
            to_come.filter(|run| !self.was_of_a_wrong_clock(run)).cloned().collect();
        for run in &to_come {
            let link = Link {
                run: run.scheduled_at,
                reason: LinkReason::Clock,
                note: format!("was opened at {}, and now is {now}", run.opened_at),
                accepted: Vec::new(),
                redacted: Vec::new(),
                old: run.digest.clone(),
                new: String::new(),
                noted_at: now,
            };
            operator.note_link(&link).await?;
            self.links.push(link);
        }
        let machine = now.before(behind);
        let later = to_come.iter().map(|run| run.opened_at).max();
        let service = later.or((behind > CLOCKS_DIFFER).then_some(now));
        Ok(service.map(|service| Clock { machine, service }))
    }

    /// What tonight is held against. A restore has made other tables, and brought them to what there
    /// was at a moment: the last evening before that one says what has to be in them.
    pub async fn ground(
        &self,
        operator: &Operator,
        evidence: &Evidence,
        cut: Timestamp,
        now: Timestamp,
        findings: &mut Findings,
    ) -> Result<Ground, EventError> {
        let table = &operator.tables().records;
        let mut restored = self.newest(cut, |run| run.of == *table);
        if restored.is_none() && !self.runs.is_empty() {
            let all: Vec<Restored> = operator.restores().await?;
            let made = |it: &&Restored| {
                let ours = table.strip_suffix(it.restored_as.as_str());
                it.state != RestoreState::Abandoned && ours.is_some_and(|it| it.ends_with('-'))
            };
            if let Some(restore) = all.iter().filter(made).max_by_key(|it| it.opened_at) {
                restored = self.before(restore);
                self.note_restore(operator, restore, restored, now).await?;
            } else {
                restored = self.newest(cut, |_| true);
                if restored.is_some() {
                    let what = "is not what earlier evenings were of, and no restore has made it";
                    findings.note(Cause::Discontinued, table, what);
                }
            }
        }
        let ledger = self.newest(cut, |_| true);
        let since = restored.map(|run| run.cut);
        let runs = [restored.cloned(), ledger.cloned()];
        let same = restored.map(|run| run.scheduled_at) == ledger.map(|run| run.scheduled_at);
        let restored = self.read(evidence, restored, findings).await?;
        let ledger =
            if same { restored.clone() } else { self.read(evidence, ledger, findings).await? };
        Ok(Ground { base: Base { restored, ledger }, runs, since })
    }

    /// The last evening, of the tables that a restore was made from, before its moment.
    fn before(&self, restore: &Restored) -> Option<&BackupRun> {
        let from = self.runs.iter().rfind(|run| run.opened_at <= restore.opened_at)?;
        let of_these = self.newest(restore.to, |run| run.of == from.of);
        of_these.or_else(|| self.newest(restore.to, |_| true))
    }

    async fn note_restore(
        &self,
        operator: &Operator,
        restore: &Restored,
        base: Option<&BackupRun>,
        now: Timestamp,
    ) -> Result<(), EventError> {
        let (Some(base), Some(last)) = (base, self.last()) else { return Ok(()) };
        let link = Link {
            run: base.scheduled_at,
            reason: LinkReason::Restored,
            accepted: Vec::new(),
            redacted: Vec::new(),
            note: format!("restored to {} as {}", restore.to, restore.restored_as),
            old: last.digest.clone(),
            new: base.digest.clone(),
            noted_at: now,
        };
        operator.note_link(&link).await?;
        Ok(())
    }
}

impl Earlier {
    /// A run's manifest, as the run itself says that it is; without who was forgotten since.
    async fn read(
        &self,
        evidence: &Evidence,
        run: Option<&BackupRun>,
        findings: &mut Findings,
    ) -> Result<Option<Arc<Manifest>>, EventError> {
        let Some(run) = run else { return Ok(None) };
        // One that is gone is found with all others.
        let Some(bytes) = evidence.find(&run.manifest).await? else { return Ok(None) };
        match Manifest::from_json(&bytes) {
            Ok(manifest) if manifest.cut == run.cut && manifest.summary.digest == run.digest => {
                Ok(Some(Arc::new(manifest.without(redacted_since(&self.links, run)))))
            }
            _ => {
                findings.note(Cause::Evidence, &run.manifest, "is not what the ledger says of it");
                Ok(None)
            }
        }
    }
}

/// What was redacted since a run was opened, of what was there at its cut.
pub fn redacted_since<'a>(
    links: &'a [Link],
    run: &BackupRun,
) -> impl Iterator<Item = &'a Redaction> + use<'a> {
    let (opened_at, cut) = (run.opened_at, run.cut);
    let since = links.iter().filter(move |link| link.noted_at > opened_at);
    since.flat_map(|link| &link.redacted).filter(move |it| it.changed_at < cut)
}
