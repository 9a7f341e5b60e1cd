//! The ledger: what was backed up and verified, and how the policy stands. What happened is written once
//! and never again; only how a promise stands is overwritten.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Operator, Redaction};
use crate::StoreError;
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::tables::{document, read_document};

/// The table of records that a run is of.
const OF_TABLE: &str = "records_table";
/// The digest of a run's manifest.
const DOCUMENT_DIGEST: &str = "manifest_digest";
/// Whether the chain holds in a run.
const HOLDS: &str = "holds";

/// The opening of one evening's backup run.
#[derive(Clone, Debug)]
pub struct BackupRun {
    pub scheduled_at: Timestamp,
    /// Everything committed before is in the manifest.
    pub cut: Timestamp,
    pub opened_at: Timestamp,
    /// Where the manifest is, in the bucket of evidence.
    pub manifest: String,
    /// How many revisions, and the digest of them all.
    pub revisions: u64,
    pub digest: String,
    /// The digest of the manifest as a document; absent of a run of the release before.
    pub document: Option<String>,
    /// Whether all that was there at an earlier run was there still; absent where nobody has looked.
    pub holds: Option<bool>,
    /// The table of records that it is of: a restore makes another.
    pub of: String,
}

/// Why the chain of evenings goes on from a figure that is not the one before.
#[derive(Clone, Debug, Serialize, serde::Deserialize)]
pub struct Link {
    /// The run from which it goes on.
    pub run: Timestamp,
    pub reason: LinkReason,
    /// In the words of whoever says so.
    pub note: String,
    /// What was found and is accepted, by cause and key: it will not be found again.
    #[serde(default)]
    pub accepted: Vec<String>,
    /// What the sums leave out and take in since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redacted: Vec<Redaction>,
    /// The digest that it went on from before, and the one that it goes on from now.
    pub old: String,
    pub new: String,
    pub noted_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkReason {
    /// The service was restored to a moment after that run.
    Restored,
    /// An operator has looked at what is gone, and takes what is there as it is.
    Acknowledged,
    /// It was opened at a time that was still to come: nothing is held against it.
    Clock,
    /// A person was forgotten, of whom revisions had a name.
    Forgotten,
}

/// How a backup job ended, as AWS Backup told it.
#[derive(Clone, Debug, Serialize, serde::Deserialize)]
pub struct BackupJob {
    pub id: String,
    pub resource: String,
    pub state: String,
    pub bytes: Option<u64>,
    pub message: Option<String>,
    /// Why this is no backup, if it is none.
    pub fault: Option<String>,
    pub noted_at: Timestamp,
}

/// What was found in a restored copy.
#[derive(Clone, Debug, Serialize, serde::Deserialize)]
pub struct Verification {
    /// The restore job.
    pub job: String,
    /// What it is a copy of: `records`, `accounts`, `appendices`.
    pub resource: String,
    pub recovery_point: String,
    /// The run whose manifest it was held against.
    pub run: Timestamp,
    /// No finding.
    pub verified: bool,
    /// How many items or objects were looked at.
    pub checked: u64,
    pub findings: u64,
    /// Where the report is, in the bucket of evidence.
    pub report: String,
    /// The digest of the report as a document; absent of one of the release before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    pub noted_at: Timestamp,
}

impl Link {
    /// Of one run, each reason is given once.
    fn reason_name(&self) -> String {
        match self.reason {
            LinkReason::Restored => "restored".to_owned(),
            LinkReason::Acknowledged => "acknowledged".to_owned(),
            LinkReason::Clock => "clock".to_owned(),
            // Of one run, several people may be forgotten.
            LinkReason::Forgotten => format!("forgotten-{}", self.note),
        }
    }
}

impl Operator {
    /// Notes a run whose manifest is kept, unless it is noted already. Whether it was now.
    pub async fn note_run(&self, run: &BackupRun) -> Result<bool, StoreError> {
        let mut item = items::key(keys::BACKUPS_PARTITION, &SortKey::BackupRun(run.scheduled_at));
        item.insert("cut_ms".to_owned(), items::number(run.cut.millis()));
        item.insert(items::NOTED_AT.to_owned(), items::number(run.opened_at.millis()));
        item.insert("manifest".to_owned(), items::text(&run.manifest));
        item.insert("revisions".to_owned(), items::number(run.revisions));
        item.insert("digest".to_owned(), items::text(&run.digest));
        item.insert(OF_TABLE.to_owned(), items::text(&run.of));
        if let Some(document) = &run.document {
            item.insert(DOCUMENT_DIGEST.to_owned(), items::text(document));
        }
        if let Some(holds) = run.holds {
            item.insert(HOLDS.to_owned(), AttributeValue::Bool(holds));
        }
        self.database.put_once(item).await
    }

    /// The newest run of these tables that was scheduled no later than `time`. Those of the tables
    /// before a restore say nothing of these.
    pub async fn run_before(&self, time: Timestamp) -> Result<Option<BackupRun>, StoreError> {
        let mut newest = self
            .database
            .dynamo
            .query()
            .table_name(&self.database.tables.ledger)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :first AND :last")
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_names("#sk", items::SORT)
            .expression_attribute_values(":pk", items::text(keys::BACKUPS_PARTITION))
            .expression_attribute_values(":first", items::text(keys::RUN_PREFIX))
            .expression_attribute_values(":last", items::text(SortKey::BackupRun(time)))
            .filter_expression("#of = :of")
            .expression_attribute_names("#of", OF_TABLE)
            .expression_attribute_values(":of", items::text(&self.database.tables.records))
            .scan_index_forward(false)
            .into_paginator()
            .items()
            .send();
        match newest.next().await {
            None => Ok(None),
            Some(item) => read_run(&item.map_err(StoreError::unavailable)?).map(Some),
        }
    }

    /// Every run, of whatever tables, oldest first.
    pub async fn runs(&self) -> Result<Vec<BackupRun>, StoreError> {
        let ledger = &self.database.tables.ledger;
        let rows = self.database.rows(ledger, keys::BACKUPS_PARTITION, keys::RUN_PREFIX).await?;
        rows.iter().map(read_run).collect()
    }

    /// When the last run was opened of those whose clock nobody has found wrong.
    pub async fn last_opened(&self) -> Result<Option<Timestamp>, StoreError> {
        let links = self.links().await?;
        let wrong = |run: &BackupRun| {
            let of_run = |link: &Link| link.run == run.scheduled_at;
            links.iter().any(|link| link.reason == LinkReason::Clock && of_run(link))
        };
        let runs = self.runs().await?;
        Ok(runs.iter().filter(|run| !wrong(run)).map(|run| run.opened_at).max())
    }

    /// Says why the chain goes on, unless it is said already. Whether it was now.
    pub async fn note_link(&self, link: &Link) -> Result<bool, StoreError> {
        let sort = SortKey::Link(link.run, link.reason_name());
        self.database.put_once(document(keys::BACKUPS_PARTITION, &sort, link.noted_at, link)).await
    }

    /// All that was said of it.
    pub async fn links(&self) -> Result<Vec<Link>, StoreError> {
        self.documents(keys::BACKUPS_PARTITION, keys::LINK_PREFIX).await
    }

    /// Notes how a job ended, unless it is noted already. Whether it was now.
    pub async fn note_job(&self, job: &BackupJob) -> Result<bool, StoreError> {
        let sort = SortKey::BackupJob(job.id.clone());
        self.database.put_once(document(keys::BACKUPS_PARTITION, &sort, job.noted_at, job)).await
    }

    /// A job that is noted.
    pub async fn job(&self, id: &str) -> Result<Option<BackupJob>, StoreError> {
        let key = items::key(keys::BACKUPS_PARTITION, &SortKey::BackupJob(id.to_owned()));
        let item = self.database.item(&self.database.tables.ledger, key).await?;
        item.as_ref().map(read_document).transpose()
    }

    /// Notes what was found in a copy, unless it is noted already. Whether it was now.
    pub async fn note_verification(&self, it: &Verification) -> Result<bool, StoreError> {
        let sort = SortKey::Verification(it.run, it.job.clone());
        self.database.put_once(document(keys::BACKUPS_PARTITION, &sort, it.noted_at, it)).await
    }

    /// What was found in the copies of one run, in no order.
    pub async fn verifications(&self, run: Timestamp) -> Result<Vec<Verification>, StoreError> {
        self.documents(keys::BACKUPS_PARTITION, &keys::verifications_prefix(run)).await
    }

    /// The same of every run.
    pub async fn all_verifications(&self) -> Result<Vec<Verification>, StoreError> {
        self.documents(keys::BACKUPS_PARTITION, keys::VERIFICATION_PREFIX).await
    }

    /// Says how one promise of the policy stands.
    pub async fn note_policy<T: Serialize>(
        &self,
        what: &str,
        now: Timestamp,
        state: &T,
    ) -> Result<(), StoreError> {
        let sort = SortKey::Policy(what.to_owned());
        let row = document(keys::POLICY_PARTITION, &sort, now, state);
        self.database.put(&self.database.tables.ledger, row).await
    }

    /// How one promise stands; `None`: nothing was ever said of it.
    pub async fn policy_of<T: DeserializeOwned>(
        &self,
        what: &str,
    ) -> Result<Option<T>, StoreError> {
        let key = items::key(keys::POLICY_PARTITION, &SortKey::Policy(what.to_owned()));
        let item = self.database.item(&self.database.tables.ledger, key).await?;
        item.as_ref().map(read_document).transpose()
    }

    pub(super) async fn documents<T: DeserializeOwned>(
        &self,
        partition: &str,
        prefix: &str,
    ) -> Result<Vec<T>, StoreError> {
        let ledger = &self.database.tables.ledger;
        self.database.rows(ledger, partition, prefix).await?.iter().map(read_document).collect()
    }
}

fn read_run(item: &Item) -> Result<BackupRun, StoreError> {
    let fields = Fields(item);
    let SortKey::BackupRun(scheduled_at) = fields.sort_key()? else {
        return Err(fields.damaged(items::SORT));
    };
    Ok(BackupRun {
        scheduled_at,
        cut: fields.time("cut_ms")?,
        opened_at: fields.time(items::NOTED_AT)?,
        manifest: fields.text("manifest")?.to_owned(),
        revisions: fields.parse("revisions")?,
        digest: fields.text("digest")?.to_owned(),
        document: fields.text(DOCUMENT_DIGEST).ok().map(str::to_owned),
        holds: item.get(HOLDS).and_then(|holds| holds.as_bool().ok()).copied(),
        of: fields.text(OF_TABLE)?.to_owned(),
    })
}
