//! Restore jobs: tables and buckets made of copies, and the verdicts on them.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::Md5;
use rusqlite::Connection;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::documents::Kind;
use super::jobs::{ACCOUNT, REGION, date, id};
use super::{Backup, BackupError, Resource};
use crate::hex::hex;
use crate::objects::NewObject;
use crate::values::{seconds, text};

/// What restore tests name their tables and buckets.
const TEST_PREFIX: &str = "awsbackup-restore-test-";

/// A restore that is asked for.
pub(super) struct Restore {
    pub(super) recovery_point: String,
    /// The table or bucket to restore into; `None`: a new one, as a test.
    pub(super) target: Option<String>,
    pub(super) token: Option<String>,
}

impl Backup {
    /// Restores a recovery point. The job's document; the restore goes on in the meantime.
    pub(super) fn start_restore(self: &Arc<Self>, it: Restore) -> Result<Value, BackupError> {
        let point = self
            .documents
            .get(Kind::RecoveryPoint, &it.recovery_point)?
            .ok_or_else(|| BackupError::Unknown(format!("recovery point {}", it.recovery_point)))?;
        let id = id();
        if let Some(token) = &it.token {
            let claimed = self.documents.claim(Kind::Token, token, &json!(id))?;
            if claimed != json!(id) {
                return self.restore_job(claimed.as_str().unwrap_or_default());
            }
        }
        let arn = text(&point["ResourceArn"]);
        let source = Resource::of_arn(&arn).ok_or_else(|| BackupError::Unknown(arn.clone()))?;
        let target =
            it.target.clone().unwrap_or_else(|| format!("{TEST_PREFIX}{id}").to_lowercase());
        let created = match source {
            Resource::Table(_) => format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{target}"),
            Resource::Bucket(_) => format!("arn:aws:s3:::{target}"),
        };
        let mut job = json!({
            "RestoreJobId": id,
            "AccountId": ACCOUNT,
            "RecoveryPointArn": it.recovery_point,
            "RecoveryPointCreationDate": point["CreationDate"],
            "SourceResourceArn": arn,
            "BackupVaultArn": point["BackupVaultArn"],
            "BackupSizeInBytes": point["BackupSizeInBytes"],
            "CreationDate": seconds(runtime::now().millis()),
            "ResourceType": source.kind(),
            "Status": "RUNNING",
            "CreatedResourceArn": created,
        });
        if let (None, Some(test)) = (&it.target, &self.plan.test) {
            job["CreatedBy"] = json!({ "RestoreTestingPlanArn": test.arn });
        }
        self.documents.put(Kind::RestoreJob, &id, &job)?;
        let (backup, mut running) = (self.clone(), job.clone());
        tokio::spawn(async move {
            let restored = match source {
                Resource::Table(_) => backup.restore_table(&running, target).await,
                Resource::Bucket(_) => backup.restore_bucket(&running, &target).await,
            };
            running["CompletionDate"] = seconds(runtime::now().millis());
            running["Status"] = json!("COMPLETED");
            if let Err(error) = restored {
                tracing::error!(%error, "a restore job failed");
                running["Status"] = json!("FAILED");
                running["StatusMessage"] = json!(error.to_string());
            }
            if let Err(error) = backup.end_restore(&running) {
                tracing::error!(%error, "the end of a restore job was not noted");
            }
        });
        Ok(job)
    }

    pub(super) fn end_restore(&self, job: &Value) -> Result<(), BackupError> {
        let id = text(&job["RestoreJobId"]);
        self.documents.put(Kind::RestoreJob, &id, job)?;
        let detail = json!({
            "restoreJobId": id,
            "backupVaultArn": job["BackupVaultArn"],
            "recoveryPointArn": job["RecoveryPointArn"],
            "sourceResourceArn": job["SourceResourceArn"],
            "creationDate": date(&job["CreationDate"]),
            "completionDate": date(&job["CompletionDate"]),
            "createdResourceArn": job["CreatedResourceArn"],
            "resourceType": job["ResourceType"],
            "status": job["Status"],
        });
        self.tell("Restore Job State Change", &job["RecoveryPointArn"], &detail, 0)
    }

    async fn restore_table(
        self: &Arc<Self>,
        job: &Value,
        target: String,
    ) -> Result<(), BackupError> {
        let file = self.recovery_point_file(&text(&job["RecoveryPointArn"]));
        let tables = self.tables.clone();
        let filled = tokio::task::spawn_blocking(move || {
            let copy = Connection::open(&file)?;
            let keys: String = copy.query_row("SELECT json FROM keys", [], |row| row.get(0))?;
            let keys: Value = serde_json::from_str(&keys).unwrap_or_default();
            tables.create(&target, &keys[0], &keys[1])?;
            tables.fill(&target, &file)?;
            Ok(())
        });
        filled.await.map_err(|error| BackupError::Database(error.to_string()))?
    }

    /// Writes objects anew, as a restore does: with hashes of the bytes that there are.
    async fn restore_bucket(&self, job: &Value, target: &str) -> Result<(), BackupError> {
        let file = self.recovery_point_file(&text(&job["RecoveryPointArn"]));
        let blobs = file.with_extension("objects");
        self.disk.add_bucket(target, true)?;
        let objects: Vec<(String, String, String)> = {
            let index = Connection::open(&file)?;
            let mut all = index.prepare("SELECT key, content_type, file FROM objects")?;
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        for (key, content_type, blob) in objects {
            let incoming = self.disk.incoming().await?;
            let bytes = std::fs::read(blobs.join(blob))?;
            std::fs::write(incoming.path(), &bytes)?;
            self.disk.store(NewObject {
                incoming,
                bucket: target.to_owned(),
                key,
                bytes: bytes.len() as u64,
                content_type,
                sha256: Some(BASE64_STANDARD.encode(Sha256::digest(&bytes))),
                etag: hex(&Md5::digest(&bytes)),
                only_if_absent: true,
                announced: false,
            })?;
        }
        Ok(())
    }

    /// Takes a verdict, once, and removes what the test has restored.
    pub(super) fn judge(&self, id: &str, status: &str, message: &Value) -> Result<(), BackupError> {
        let mut job = self.restore_job(id)?;
        if !job["ValidationStatus"].is_null() {
            let what = "the validation status was set before and cannot be changed";
            return Err(BackupError::Refused(what.to_owned()));
        }
        job["ValidationStatus"] = json!(status);
        job["ValidationStatusMessage"] = message.clone();
        if !job["CreatedBy"].is_null() {
            match Resource::of_arn(&text(&job["CreatedResourceArn"])) {
                Some(Resource::Table(table)) => self.tables.delete(&table)?,
                Some(Resource::Bucket(bucket)) => self.disk.remove_bucket(&bucket)?,
                None => {}
            }
            job["DeletionStatus"] = json!("SUCCESSFUL");
        }
        Ok(self.documents.put(Kind::RestoreJob, id, &job)?)
    }

    pub(super) fn restore_job(&self, id: &str) -> Result<Value, BackupError> {
        let found = self.documents.get(Kind::RestoreJob, id)?;
        found.ok_or_else(|| BackupError::Unknown(format!("restore job {id}")))
    }
}
