//! The ledger: what was backed up, verified and restored, and how the policy stands. What happened is
//! written once and never again; only how a restore or a promise stands is overwritten.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::items::{self, Fields, Item};
use crate::keys::{self, SortKey};
use crate::{Store, StoreError};

const DOCUMENT: &str = "document";
/// The table of records that a run is of.
const OF_TABLE: &str = "records_table";
/// How often a restore was noted: of two that are at it, one finds that it is too late.
const TURN: &str = "turn";
/// As much of a restore as anyone may know.
const VIEW: &str = "view";

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

impl Store {
    /// Notes a run whose manifest is kept, unless it is noted already. Whether it was now.
    pub async fn note_run(&self, run: &BackupRun) -> Result<bool, StoreError> {
        let mut item = items::key(keys::BACKUPS_PARTITION, &SortKey::BackupRun(run.scheduled_at));
        item.insert("cut_ms".to_owned(), items::number(run.cut.millis()));
        item.insert(items::NOTED_AT.to_owned(), items::number(run.opened_at.millis()));
        item.insert("manifest".to_owned(), items::text(&run.manifest));
        item.insert("revisions".to_owned(), items::number(run.revisions));
        item.insert("digest".to_owned(), items::text(&run.digest));
        item.insert(OF_TABLE.to_owned(), items::text(&self.tables.records));
        self.note_once(item).await
    }

    /// The newest run of these tables that was scheduled no later than `time`. Those of the tables
    /// before a restore say nothing of these.
    pub async fn run_before(&self, time: Timestamp) -> Result<Option<BackupRun>, StoreError> {
        let mut newest = self
            .dynamo
            .query()
            .table_name(&self.tables.ledger)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :first AND :last")
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_names("#sk", items::SORT)
            .expression_attribute_values(":pk", items::text(keys::BACKUPS_PARTITION))
            .expression_attribute_values(":first", items::text(keys::RUN_PREFIX))
            .expression_attribute_values(":last", items::text(SortKey::BackupRun(time)))
            .filter_expression("#of = :of")
            .expression_attribute_names("#of", OF_TABLE)
            .expression_attribute_values(":of", items::text(&self.tables.records))
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
        self.note_once(document(keys::BACKUPS_PARTITION, &sort, job.noted_at, job)).await
    }

    /// Notes what was found in a copy, unless it is noted already. Whether it was now.
    pub async fn note_verification(&self, it: &Verification) -> Result<bool, StoreError> {
        let sort = SortKey::Verification(it.run, it.job.clone());
        self.note_once(document(keys::BACKUPS_PARTITION, &sort, it.noted_at, it)).await
    }

    /// What was found in the copies of one run, in no order.
    pub async fn verifications(&self, run: Timestamp) -> Result<Vec<Verification>, StoreError> {
        self.documents(keys::BACKUPS_PARTITION, &keys::verifications_prefix(run)).await
    }

    /// Opens a restore to a moment (turn 1) or says how far it has come. False: somebody else has said
    /// so since the turn before.
    pub async fn note_restore<T: Serialize, V: Serialize>(
        &self,
        to: Timestamp,
        turn: u64,
        state: &T,
        view: &V,
    ) -> Result<bool, StoreError> {
        let sort = SortKey::Restore(to);
        let mut item = document(keys::RESTORES_PARTITION, &sort, to, state);
        let view = serde_json::to_string(view).expect("views become JSON");
        item.insert(VIEW.to_owned(), items::text(view));
        item.insert(TURN.to_owned(), items::number(turn));
        let condition = if turn == 1 { "attribute_not_exists(#turn)" } else { "#turn = :before" };
        let before = (turn > 1).then(|| [(":before".to_owned(), items::number(turn - 1))].into());
        let put = self
            .dynamo
            .put_item()
            .table_name(&self.tables.ledger)
            .set_item(Some(item))
            .condition_expression(condition)
            .expression_attribute_names("#turn", TURN)
            .set_expression_attribute_values(before);
        met_condition(put.send().await)
    }

    /// As much of each as anyone may know.
    pub async fn restore_views<V: DeserializeOwned>(&self) -> Result<Vec<V>, StoreError> {
        let items = self.rows(&self.tables.ledger, keys::RESTORES_PARTITION, "").await?;
        let read = |item: &Item| {
            let fields = Fields(item);
            serde_json::from_str(fields.text(VIEW)?).map_err(|_| fields.damaged(VIEW))
        };
        items.iter().map(read).collect()
    }

    /// The last restore to each moment that there was one to.
    pub async fn restores<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        self.documents(keys::RESTORES_PARTITION, "").await
    }

    /// Says how one promise of the policy stands.
    pub async fn note_policy<T: Serialize>(
        &self,
        what: &str,
        now: Timestamp,
        state: &T,
    ) -> Result<(), StoreError> {
        let sort = SortKey::Policy(what.to_owned());
        self.overwrite(document(keys::POLICY_PARTITION, &sort, now, state)).await
    }

    /// How the promises stand: what, since when, and the state.
    pub async fn policy<T: DeserializeOwned>(
        &self,
    ) -> Result<Vec<(String, Timestamp, T)>, StoreError> {
        let items = self.rows(&self.tables.ledger, keys::POLICY_PARTITION, "").await?;
        let read = |item: &Item| {
            let fields = Fields(item);
            let SortKey::Policy(what) = fields.sort_key()? else {
                return Err(fields.damaged(items::SORT));
            };
            Ok((what, fields.time(items::NOTED_AT)?, read_document(item)?))
        };
        items.iter().map(read).collect()
    }

    /// How one promise stands; `None`: nothing was ever said of it.
    pub async fn policy_of<T: DeserializeOwned>(
        &self,
        what: &str,
    ) -> Result<Option<T>, StoreError> {
        let key = items::key(keys::POLICY_PARTITION, &SortKey::Policy(what.to_owned()));
        let answer = self
            .dynamo
            .get_item()
            .table_name(&self.tables.ledger)
            .set_key(Some(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        answer.item.as_ref().map(read_document).transpose()
    }

    async fn documents<T: DeserializeOwned>(
        &self,
        partition: &str,
        prefix: &str,
    ) -> Result<Vec<T>, StoreError> {
        self.rows(&self.tables.ledger, partition, prefix).await?.iter().map(read_document).collect()
    }

    /// Every row of a partition whose sort key starts with `prefix`.
    pub(crate) async fn rows(
        &self,
        table: &str,
        partition: &str,
        prefix: &str,
    ) -> Result<Vec<Item>, StoreError> {
        let mut query = self
            .dynamo
            .query()
            .table_name(table)
            .consistent_read(true)
            .expression_attribute_names("#pk", items::PARTITION)
            .expression_attribute_values(":pk", items::text(partition));
        query = if prefix.is_empty() {
            query.key_condition_expression("#pk = :pk")
        } else {
            query
                .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
                .expression_attribute_names("#sk", items::SORT)
                .expression_attribute_values(":prefix", items::text(prefix))
        };
        let mut found = Vec::new();
        let mut pages = query.into_paginator().send();
        while let Some(page) = pages.next().await {
            found.extend(page.map_err(StoreError::unavailable)?.items.unwrap_or_default());
        }
        Ok(found)
    }

    pub(crate) async fn note_once(&self, item: Item) -> Result<bool, StoreError> {
        let noted = self
            .dynamo
            .put_item()
            .table_name(&self.tables.ledger)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", items::PARTITION)
            .send()
            .await;
        met_condition(noted)
    }

    async fn overwrite(&self, item: Item) -> Result<(), StoreError> {
        let put = self.dynamo.put_item().table_name(&self.tables.ledger).set_item(Some(item));
        put.send().await.map_err(StoreError::unavailable)?;
        Ok(())
    }
}

/// Whether an item was put; false where its condition did not hold.
pub(crate) fn met_condition<T>(put: Result<T, SdkError<PutItemError>>) -> Result<bool, StoreError> {
    match put {
        Ok(_) => Ok(true),
        Err(error)
            if matches!(
                error.as_service_error(),
                Some(PutItemError::ConditionalCheckFailedException(_))
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(StoreError::unavailable(error)),
    }
}

pub(crate) fn document(
    partition: &str,
    sort: &SortKey,
    noted_at: Timestamp,
    document: &impl Serialize,
) -> Item {
    let json = serde_json::to_string(document).expect("documents become JSON");
    let mut item = items::key(partition, sort);
    item.insert(items::NOTED_AT.to_owned(), items::number(noted_at.millis()));
    item.insert(DOCUMENT.to_owned(), AttributeValue::S(json));
    item
}

fn read_document<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    let fields = Fields(item);
    serde_json::from_str(fields.text(DOCUMENT)?).map_err(|_| fields.damaged(DOCUMENT))
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
