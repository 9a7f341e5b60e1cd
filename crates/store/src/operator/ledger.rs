//! The ledger: what was backed up and verified, and how the policy stands. What happened is written once
//! and never again; only how a promise stands is overwritten.

use domain::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Operator;
use crate::StoreError;
use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::tables::{document, read_document};

/// The table of records that a run is of.
const OF_TABLE: &str = "records_table";

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
    pub noted_at: Timestamp,
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
        item.insert(OF_TABLE.to_owned(), items::text(&self.database.tables.records));
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

    /// Notes how a job ended, unless it is noted already. Whether it was now.
    pub async fn note_job(&self, job: &BackupJob) -> Result<bool, StoreError> {
        let sort = SortKey::BackupJob(job.id.clone());
        self.database.put_once(document(keys::BACKUPS_PARTITION, &sort, job.noted_at, job)).await
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
    })
}
