//! Backup jobs: copies of tables and buckets, and the events that tell of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{Entropy as _, Timestamp};
use runtime::OsEntropy;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::documents::Kind;
use super::{Backup, BackupError, Fault, Resource};
use crate::hex::hex;
use crate::values::{seconds, text};

pub(super) const ACCOUNT: &str = "000000000000";
pub(super) const REGION: &str = "eu-central-1";
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Backup {
    /// Backs one resource up. The job's document; the copy is made in the meantime.
    pub(super) fn start_backup(
        self: &Arc<Self>,
        arn: &str,
        vault: &str,
        days: u32,
        token: Option<&str>,
        copies: &[(String, u32)],
    ) -> Result<Value, BackupError> {
        let resource = Resource::of_arn(arn)
            .ok_or_else(|| BackupError::Refused(format!("{arn} cannot be backed up here")))?;
        // A locked vault takes nothing that is kept shorter or longer, or for ever.
        let known = self.plan.vaults.iter().find(|it| it.name == vault);
        let known = known.ok_or_else(|| BackupError::Unknown(format!("vault {vault}")))?;
        if !(known.min_days..=known.max_days).contains(&u64::from(days)) {
            let (least, most) = (known.min_days, known.max_days);
            let what = format!("{vault} keeps backups for {least} to {most} days, not for {days}");
            return Err(BackupError::Refused(what));
        }
        let id = id();
        if let Some(token) = token {
            let claimed = self.documents.claim(Kind::Token, token, &json!(id))?;
            if claimed != json!(id) {
                let earlier = claimed.as_str().unwrap_or_default();
                return self.backup_job(earlier);
            }
        }
        let now_ms = runtime::now().millis();
        let copies = copies.iter().map(|(vault, days)| json!({ "Vault": vault, "Days": days }));
        let copies: Vec<Value> = copies.collect();
        let job = json!({
            "BackupJobId": id,
            "AccountId": ACCOUNT,
            "BackupVaultName": vault,
            "BackupVaultArn": vault_arn(vault),
            "RecoveryPointArn": format!("arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:{id}"),
            "ResourceArn": arn,
            "ResourceType": resource.kind(),
            "CreationDate": seconds(now_ms),
            "State": "RUNNING",
            "CopyTo": copies,
            "DeleteAtMs": now_ms + i64::from(days) * DAY_MS,
        });
        self.documents.put(Kind::BackupJob, &id, &job)?;
        let (backup, started) = (self.clone(), job.clone());
        tokio::task::spawn_blocking(move || backup.back_up(started, &resource));
        Ok(job)
    }

    fn back_up(&self, mut job: Value, resource: &Resource) {
        let name = match resource {
            Resource::Table(name) | Resource::Bucket(name) => name,
        };
        let faults = self.faults.take(name, false);
        let ends = faults.iter().find_map(|fault| match fault {
            Fault::Ends(state) => Some(*state),
            _ => None,
        });
        let mut missing = Vec::new();
        let copied = match ends {
            Some(state) => {
                job["StatusMessage"] = json!("\"Backup job failed because it was told to.\"");
                Err(state)
            }
            None => self.copy(&job, resource, &faults, &mut missing).map_err(|error| {
                tracing::error!(%error, name, "a backup job failed");
                job["StatusMessage"] = json!(error.to_string());
                "FAILED"
            }),
        };
        match copied {
            Ok((items, bytes)) => {
                job["State"] = json!("COMPLETED");
                job["BackupSizeInBytes"] = json!(bytes);
                job["Items"] = json!(items);
                let issues = faults.iter().find_map(|fault| match fault {
                    Fault::Issues(message) => Some(*message),
                    _ => None,
                });
                if let Some(issues) = issues {
                    job["StatusMessage"] = json!(issues);
                } else if let Some(first) = missing.first() {
                    let count = missing.len();
                    job["StatusMessage"] = json!(format!("no bytes of {count} objects: {first}"));
                }
            }
            Err(state) => job["State"] = json!(state),
        }
        job["CompletionDate"] = seconds(runtime::now().millis());
        if let Err(error) = self.end_backup(&job, &faults) {
            tracing::error!(%error, "the end of a backup job was not noted");
            self.lose_job(&text(&job["BackupJobId"]));
        }
    }

    pub(super) fn end_backup(&self, job: &Value, faults: &[Fault]) -> Result<(), BackupError> {
        let id = text(&job["BackupJobId"]);
        if job["State"] == "COMPLETED" {
            let point = text(&job["RecoveryPointArn"]);
            self.documents
                .put_all(&[(Kind::RecoveryPoint, &point, job), (Kind::BackupJob, &id, job)])?;
            if let Err(error) = self.copy_on(job, faults) {
                tracing::error!(%error, "a backup was not copied into the other vault");
            }
        } else {
            self.documents.put(Kind::BackupJob, &id, job)?;
            self.discard_copy(job);
        }
        if faults.contains(&Fault::Silent) {
            return Ok(());
        }
        let late = faults.iter().find_map(|fault| match fault {
            Fault::Late(by) => i64::try_from(by.as_millis()).ok(),
            _ => None,
        });
        let mut detail = json!({
            "backupJobId": id,
            "backupVaultArn": job["BackupVaultArn"],
            "backupVaultName": job["BackupVaultName"],
            "creationDate": date(&job["CreationDate"]),
            "completionDate": date(&job["CompletionDate"]),
            "resourceArn": job["ResourceArn"],
            "resourceType": job["ResourceType"],
            "state": job["State"],
        });
        if let Some(bytes) = job["BackupSizeInBytes"].as_u64() {
            detail["backupSizeInBytes"] = json!(bytes.to_string());
        }
        if let Some(message) = job["StatusMessage"].as_str() {
            detail["statusMessage"] = json!(message);
        }
        self.tell("Backup Job State Change", &job["RecoveryPointArn"], &detail, late.unwrap_or(0))
    }

    fn copy(
        &self,
        job: &Value,
        resource: &Resource,
        faults: &[Fault],
        missing: &mut Vec<String>,
    ) -> Result<(u64, u64), BackupError> {
        let file = self.recovery_point_file(&text(&job["RecoveryPointArn"]));
        let mut copied = match resource {
            Resource::Table(table) => self.tables.copy(table, &file)?,
            Resource::Bucket(bucket) => self.copy_bucket(bucket, &file, missing)?,
        };
        if let Resource::Table(table) = resource {
            let described = &self.tables.describe(table)?["Table"];
            let keys = json!([described["KeySchema"], described["AttributeDefinitions"]]);
            let copy = Connection::open(&file)?;
            copy.execute_batch("CREATE TABLE keys (json TEXT)")?;
            copy.execute("INSERT INTO keys VALUES (?1)", [keys.to_string()])?;
        }
        let what = if matches!(resource, Resource::Table(_)) { "items" } else { "objects" };
        for fault in faults {
            match fault {
                Fault::Copied(sql) => Connection::open(&file)?.execute_batch(sql)?,
                Fault::Nothing => {
                    Connection::open(&file)?.execute_batch(&format!("DELETE FROM {what}"))?;
                    copied = (0, 0);
                }
                _ => {}
            }
        }
        Ok(copied)
    }

    /// What has no bytes is left out, and named: all else is backed up.
    fn copy_bucket(
        &self,
        bucket: &str,
        file: &Path,
        missing: &mut Vec<String>,
    ) -> Result<(u64, u64), BackupError> {
        let blobs = file.with_extension("objects");
        std::fs::create_dir_all(&blobs)?;
        let index = Connection::open(file)?;
        index.execute_batch(
            "CREATE TABLE objects (key TEXT, bytes INTEGER, content_type TEXT, file TEXT)",
        )?;
        let (mut objects, mut bytes, mut after) = (0, 0, String::new());
        loop {
            let page = self.disk.list(bucket, "", &after, 1000)?;
            let Some((last, _)) = page.last() else { return Ok((objects, bytes)) };
            after.clone_from(last);
            index.execute_batch("BEGIN")?;
            for (key, facts) in page {
                // Nobody writes to the bytes of a version: as on AWS, each is kept once for all backups.
                let (blob, kept) =
                    (self.disk.blob(&facts.version_id), blobs.join(&facts.version_id));
                if !blob.exists() {
                    tracing::error!(bucket, key, "an object has no bytes");
                    missing.push(key);
                    continue;
                }
                if std::fs::hard_link(&blob, &kept).is_err() {
                    std::fs::copy(&blob, &kept)?;
                }
                let size = i64::try_from(facts.bytes).unwrap_or(i64::MAX);
                index.execute(
                    "INSERT INTO objects VALUES (?1, ?2, ?3, ?4)",
                    params![key, size, facts.content_type, facts.version_id],
                )?;
                objects += 1;
                bytes += facts.bytes;
            }
            index.execute_batch("COMMIT")?;
        }
    }

    /// Removes recovery points whose days are over.
    pub(crate) fn expire(&self, now: Timestamp) -> Result<(), BackupError> {
        for point in self.documents.all(Kind::RecoveryPoint)? {
            if point["DeleteAtMs"].as_i64().is_some_and(|at_ms| at_ms <= now.millis()) {
                self.documents.remove(Kind::RecoveryPoint, &text(&point["RecoveryPointArn"]))?;
                self.discard_copy(&point);
            }
        }
        self.discard_tests(now)
    }

    /// Loses a recovery point.
    pub(crate) fn lose(&self, arn: &str) -> Result<(), BackupError> {
        Ok(self.documents.remove(Kind::RecoveryPoint, arn)?)
    }

    /// Frees the space of a copy that is none, or whose days are over.
    pub(super) fn discard_copy(&self, job: &Value) {
        let file = self.recovery_point_file(&text(&job["RecoveryPointArn"]));
        let objects = file.with_extension("objects");
        // What a kill has cut off has a journal.
        let journal = file.with_extension("sqlite-journal");
        for removed in [
            std::fs::remove_file(&file),
            std::fs::remove_file(&journal),
            std::fs::remove_dir_all(&objects),
        ] {
            match removed {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(%error, file = %file.display(), "a copy was not removed");
                }
                _ => {}
            }
        }
    }

    /// The recovery points of a resource, the newest first.
    pub(super) fn recovery_points(&self, arn: &str) -> Result<Vec<Value>, BackupError> {
        let all = self.documents.all(Kind::RecoveryPoint)?;
        Ok(all.into_iter().filter(|point| point["ResourceArn"] == arn).collect())
    }

    pub(super) fn backup_job(&self, id: &str) -> Result<Value, BackupError> {
        let found = self.documents.get(Kind::BackupJob, id)?;
        found.ok_or_else(|| BackupError::Unknown(format!("backup job {id}")))
    }

    pub(super) fn tell(
        &self,
        what: &str,
        about: &Value,
        detail: &Value,
        late_ms: i64,
    ) -> Result<(), BackupError> {
        let now = runtime::now();
        let event = json!({
            "version": "0",
            "id": id(),
            "detail-type": what,
            "source": "aws.backup",
            "account": ACCOUNT,
            "time": now.to_string(),
            "region": REGION,
            "resources": [about],
            "detail": detail,
        });
        Ok(self.disk.announce(&event, now.millis() + late_ms)?)
    }

    pub(super) fn recovery_point_file(&self, arn: &str) -> PathBuf {
        let id = arn.rsplit(':').next().unwrap_or_default();
        self.folder.join(id).with_extension("sqlite")
    }
}

pub(super) fn vault_arn(name: &str) -> String {
    format!("arn:aws:backup:{REGION}:{ACCOUNT}:backup-vault:{name}")
}

pub(super) fn id() -> String {
    let mut bytes = [0; 16];
    OsEntropy.fill(&mut bytes);
    hex(&bytes)
}

/// As events have it.
pub(super) fn date(seconds: &Value) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
    let millis = (seconds.as_f64().unwrap_or(0.0) * 1000.0).round() as i64;
    Timestamp::from_millis(millis).to_string()
}
