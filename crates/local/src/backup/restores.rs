//! Restore jobs: tables and buckets made of copies, and the verdicts on them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::documents::Kind;
use super::jobs::{ACCOUNT, REGION, date, id};
use super::{Backup, BackupError, Fault, Resource};
use crate::objects::{NewObject, Sums};
use crate::values::{seconds, text};

/// What restore tests name their tables and buckets.
const TEST_PREFIX: &str = "awsbackup-restore-test-";

/// So long AWS Backup keeps what a test has restored: the validation window of the template.
const JUDGED_WITHIN: Duration = Duration::from_secs(8 * 60 * 60);
const PART_BYTES: usize = 256 * 1024;

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
        let test = self.plan.tests.iter().find(|test| test.resources.contains(&arn));
        if let (None, Some(test)) = (&it.target, test) {
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
                backup.lose_job(&text(&running["RestoreJobId"]));
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
            // As on AWS, where it was made.
            "createdResourceArn":
                if job["Status"] == "COMPLETED" { job["CreatedResourceArn"].clone() } else { json!("") },
            "resourceType": job["ResourceType"],
            "status": job["Status"],
        });
        let of = text(&job["SourceResourceArn"]);
        let name = of.rsplit(['/', ':']).next().unwrap_or_default();
        if !self.faults.take(name, true).contains(&Fault::SilentRestore) {
            self.tell("Restore Job State Change", &job["RecoveryPointArn"], &detail, 0)?;
        }
        if job["Status"] != "COMPLETED" {
            self.discard_left_test(job.clone());
        }
        Ok(())
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

    /// Writes objects anew, as a restore does.
    async fn restore_bucket(&self, job: &Value, target: &str) -> Result<(), BackupError> {
        let file = self.recovery_point_file(&text(&job["RecoveryPointArn"]));
        self.disk.add_bucket(target, true)?;
        // AWS does not say that a restore keeps checksums: who verifies has to read the bytes.
        self.fill_bucket(&file, target, false).await?;
        Ok(())
    }

    /// Writes the objects of a copy to the keys that have none. How many.
    pub(super) async fn fill_bucket(
        &self,
        file: &Path,
        target: &str,
        with_checksums: bool,
    ) -> Result<u64, BackupError> {
        let blobs = file.with_extension("objects");
        let objects: Vec<(String, String, String)> = {
            let index = Connection::open(file)?;
            let mut all = index.prepare("SELECT key, content_type, file FROM objects")?;
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        let mut written = 0;
        let mut part = vec![0; PART_BYTES];
        for (key, content_type, blob) in objects {
            let mut incoming = self.disk.incoming().await?;
            // A part at a time: a video is larger than the memory it should take.
            let mut blob = File::open(blobs.join(blob)).await?;
            loop {
                let length = blob.read(&mut part).await?;
                if length == 0 {
                    break;
                }
                incoming.write(&part[..length]).await?;
            }
            // What is in use has to last; a test is gone tomorrow.
            if with_checksums {
                incoming.sync().await?;
            } else {
                incoming.flush().await?;
            }
            let Sums { bytes, sha256, md5 } = incoming.sums();
            let stored = self.disk.store(NewObject {
                incoming,
                bucket: target.to_owned(),
                key,
                bytes,
                content_type,
                sha256: with_checksums.then_some(sha256),
                etag: md5,
                only_if_absent: true,
                announced: false,
            })?;
            written += u64::from(stored.is_some());
        }
        Ok(written)
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
        self.discard_test(&mut job)?;
        Ok(self.documents.put(Kind::RestoreJob, id, &job)?)
    }

    /// Removes what a test has restored; what was restored for good stays.
    fn discard_test(&self, job: &mut Value) -> Result<(), BackupError> {
        if job["CreatedBy"].is_null() || !job["DeletionStatus"].is_null() {
            return Ok(());
        }
        match Resource::of_arn(&text(&job["CreatedResourceArn"])) {
            // A restore that was cut off may have made nothing yet.
            Some(Resource::Table(table)) if self.tables.describe(&table).is_ok() => {
                self.tables.delete(&table)?;
            }
            Some(Resource::Bucket(bucket)) => self.disk.remove_bucket(&bucket)?,
            _ => {}
        }
        job["DeletionStatus"] = json!("SUCCESSFUL");
        Ok(())
    }

    /// What cannot be removed now is tried again the next evening.
    fn discard_left_test(&self, mut job: Value) {
        let id = text(&job["RestoreJobId"]);
        let discarded = self
            .discard_test(&mut job)
            .and_then(|()| Ok(self.documents.put(Kind::RestoreJob, &id, &job)?));
        if let Err(error) = discarded {
            tracing::warn!(%error, id, "what a restore test has left was not removed");
        }
    }

    /// Removes what tests have restored and nobody has judged in time.
    pub(super) fn discard_tests(&self, now: Timestamp) -> Result<(), BackupError> {
        let oldest = seconds(now.before(JUDGED_WITHIN).millis());
        for job in self.documents.all(Kind::RestoreJob)? {
            let is_left = !job["CreatedBy"].is_null() && job["DeletionStatus"].is_null();
            if is_left
                && job["CompletionDate"].as_f64().is_some_and(|at| Some(at) < oldest.as_f64())
            {
                self.discard_left_test(job);
            }
        }
        Ok(())
    }

    pub(super) fn restore_job(&self, id: &str) -> Result<Value, BackupError> {
        let found = self.documents.get(Kind::RestoreJob, id)?;
        found.ok_or_else(|| BackupError::Unknown(format!("restore job {id}")))
    }
}
