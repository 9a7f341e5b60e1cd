//! Copy jobs: each recovery point of a rule that says so, once more in another vault, which nobody can reach.

use std::path::Path;

use serde_json::{Value, json};

use super::documents::Kind;
use super::jobs::{ACCOUNT, date, id, vault_arn};
use super::{Backup, BackupError, Fault};
use crate::values::{seconds, text};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Backup {
    /// Copies what a backup job has made into the vaults that its rule names.
    pub(super) fn copy_on(&self, job: &Value, faults: &[Fault]) -> Result<(), BackupError> {
        for to in job["CopyTo"].as_array().into_iter().flatten() {
            self.copy_to(job, to, faults)?;
        }
        Ok(())
    }

    fn copy_to(&self, job: &Value, to: &Value, faults: &[Fault]) -> Result<(), BackupError> {
        let id = id();
        let now_ms = runtime::now().millis();
        let (vault, days) = (text(&to["Vault"]), to["Days"].as_i64().unwrap_or(0));
        let arn = format!("arn:aws:backup:eu-central-1:{ACCOUNT}:recovery-point:{id}");
        let mut copy = json!({
            "CopyJobId": id,
            "AccountId": ACCOUNT,
            "SourceBackupVaultArn": job["BackupVaultArn"],
            "SourceRecoveryPointArn": job["RecoveryPointArn"],
            "DestinationBackupVaultArn": vault_arn(&vault),
            "ResourceArn": job["ResourceArn"],
            "ResourceType": job["ResourceType"],
            "BackupSizeInBytes": job["BackupSizeInBytes"],
            "CreationDate": seconds(now_ms),
            "State": "RUNNING",
            // Of what is being made.
            "RecoveryPointArn": arn,
        });
        self.documents.put(Kind::CopyJob, &id, &copy)?;
        copy["State"] = json!("COMPLETED");
        let linked = if faults.contains(&Fault::NotCopied) {
            Err("The copy was refused.".to_owned())
        } else {
            let (from, to) = (&job["RecoveryPointArn"], &arn);
            self.link(&text(from), to).map_err(|error| error.to_string())
        };
        let mut made = None;
        match linked {
            Ok(()) => {
                let mut point = job.clone();
                point["RecoveryPointArn"] = json!(arn);
                point["BackupVaultName"] = json!(vault);
                point["BackupVaultArn"] = json!(vault_arn(&vault));
                point["DeleteAtMs"] = json!(now_ms + days * DAY_MS);
                copy["DestinationRecoveryPointArn"] = json!(arn);
                made = Some(point);
            }
            Err(message) => {
                copy["State"] = json!("FAILED");
                copy["StatusMessage"] = json!(format!("\"{message}\""));
            }
        }
        copy["CompletionDate"] = seconds(runtime::now().millis());
        let point = made.iter().map(|point| (Kind::RecoveryPoint, arn.as_str(), point));
        let job = (Kind::CopyJob, id.as_str(), &copy);
        self.documents.put_all(&point.chain([job]).collect::<Vec<_>>())?;
        if faults.contains(&Fault::Silent) {
            return Ok(());
        }
        let mut detail = json!({
            "copyJobId": id,
            "backupSizeInBytes": copy["BackupSizeInBytes"],
            "creationDate": date(&copy["CreationDate"]),
            "resourceArn": copy["ResourceArn"],
            "resourceType": copy["ResourceType"],
            "sourceBackupVaultArn": copy["SourceBackupVaultArn"],
            "destinationBackupVaultArn": copy["DestinationBackupVaultArn"],
            "state": copy["State"],
        });
        if !copy["StatusMessage"].is_null() {
            detail["statusMessage"] = copy["StatusMessage"].clone();
        }
        self.tell("Copy Job State Change", &copy["SourceRecoveryPointArn"], &detail, 0)
    }

    /// The same bytes under another name: one can go, and the other stays.
    fn link(&self, from: &str, to: &str) -> std::io::Result<()> {
        let (from, to) = (self.recovery_point_file(from), self.recovery_point_file(to));
        std::fs::hard_link(&from, &to)?;
        let (from, to) = (from.with_extension("objects"), to.with_extension("objects"));
        if from.is_dir() { link_all(&from, &to) } else { Ok(()) }
    }
}

fn link_all(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::hard_link(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
