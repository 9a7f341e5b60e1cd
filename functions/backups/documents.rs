//! What is in the bucket of evidence, by the ledger: manifests, and reports of verifications, each with the
//! digest that it was written with.

use std::collections::{BTreeMap, BTreeSet};

use backup::{Cause, Findings, Manifest, Previous};
use domain::Digest;
use runtime::EventError;
use store::operator::{BackupRun, Evidence, Verification};

/// So many are read again each evening; where there are more, in turn.
const READ_AGAIN: usize = 64;

/// Manifests and reports by their keys, with their digests. Those of earlier releases have none.
pub struct Documents(BTreeMap<String, Option<String>>);

impl Documents {
    pub fn new(runs: &[BackupRun], verifications: &[Verification]) -> Self {
        let manifests = runs.iter().map(|run| (run.manifest.clone(), run.document.clone()));
        let reports = verifications.iter().map(|it| (it.report.clone(), it.document.clone()));
        Self(manifests.chain(reports).collect())
    }

    pub const fn all(&self) -> &BTreeMap<String, Option<String>> {
        &self.0
    }

    /// Each is there as it was written, and each manifest is that of a run.
    pub async fn check(
        &self,
        evidence: &Evidence,
        tonight: &str,
        day: usize,
        findings: &mut Findings,
    ) -> Result<(), EventError> {
        let mut kept: BTreeSet<String> = evidence.keys("manifests/").await?.into_iter().collect();
        for key in kept.iter().filter(|key| *key != tonight && !self.0.contains_key(*key)) {
            findings.note(Cause::Evidence, key, "is of no run that the ledger has");
        }
        kept.extend(evidence.keys("verifications/").await?);
        let turns = self.0.len().div_ceil(READ_AGAIN).max(1);
        for (index, (key, written)) in self.0.iter().enumerate() {
            if !kept.contains(key) {
                findings.note(Cause::Evidence, key, "is gone");
            } else if let Some(written) = written
                && index % turns == day % turns
            {
                let bytes = evidence.find(key).await?.unwrap_or_default();
                if document_digest(&bytes) != *written {
                    findings.note(Cause::Evidence, key, "is not what was written");
                } else if let Ok(manifest) = Manifest::from_json(&bytes) {
                    self.check_named(key, &manifest, findings);
                }
            }
        }
        Ok(())
    }

    /// What a manifest says of those before is what the ledger says of them.
    fn check_named(&self, key: &str, manifest: &Manifest, findings: &mut Findings) {
        for (before, digest) in manifest.previous.iter().flat_map(Previous::documents) {
            let now = self.0.get(before).and_then(Option::as_ref);
            if now.is_some_and(|now| now != digest) {
                let what = format!("is another than {key} says");
                findings.note(Cause::Evidence, before, what);
            } else if !self.0.contains_key(before) {
                let what = format!("is named by {key}, and the ledger does not have it");
                findings.note(Cause::Evidence, before, what);
            }
        }
    }
}

/// The digest of a document of the evidence.
pub fn document_digest(bytes: &[u8]) -> String {
    Digest::of(&[bytes]).to_string()
}
