//! What AWS Backup does by itself: backs everything up at the plan's time, restores it at the test's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::documents::Kind;
use super::plan::RestoreTest;
use super::restores::Restore;
use super::{Backup, BackupError};
use crate::values::{seconds, text};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Longer than another calendar takes to see that its time has come.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
const BACKED_UP_WITHIN: Duration = Duration::from_secs(2 * 60 * 60);

impl Backup {
    /// Marks the jobs that a kill has cut off as failed, and tells of it.
    pub(crate) fn go_on(&self) {
        let cut_off = || -> Result<(), BackupError> {
            for mut job in self.documents.all(Kind::BackupJob)? {
                let point = text(&job["RecoveryPointArn"]);
                if job["State"] == "RUNNING"
                    && self.documents.get(Kind::RecoveryPoint, &point)?.is_some()
                {
                    // The release before has noted the one without the other.
                    job["State"] = json!("COMPLETED");
                    job["CompletionDate"] = seconds(runtime::now().millis());
                    self.end_backup(&job, &[])?;
                } else if job["State"] == "RUNNING" {
                    job["State"] = json!("FAILED");
                    job["StatusMessage"] = json!("\"The backup was cut off.\"");
                    job["CompletionDate"] = seconds(runtime::now().millis());
                    self.end_backup(&job, &[])?;
                }
            }
            for mut job in self.documents.all(Kind::CopyJob)? {
                if job["State"] == "RUNNING" {
                    job["State"] = json!("FAILED");
                    job["StatusMessage"] = json!("\"The copy was cut off.\"");
                    self.documents.put(Kind::CopyJob, &text(&job["CopyJobId"]), &job)?;
                    self.discard_copy(&job);
                }
            }
            for mut job in self.documents.all(Kind::RestoreJob)? {
                if job["Status"] == "RUNNING" {
                    job["Status"] = json!("FAILED");
                    job["CompletionDate"] = seconds(runtime::now().millis());
                    self.end_restore(&job)?;
                }
            }
            Ok(())
        };
        if let Err(error) = cut_off() {
            tracing::error!(%error, "jobs that were cut off were not noted");
        }
    }

    /// Starts a backup of everything that the plan names; the jobs' ids.
    pub(crate) fn back_everything_up(
        self: &Arc<Self>,
        rule: &str,
    ) -> Result<Vec<String>, BackupError> {
        let rule = self.plan.rules.iter().find(|it| it.name == rule);
        let rule = rule.ok_or_else(|| BackupError::Unknown("such rule in the plan".to_owned()))?;
        self.expire(runtime::now())?;
        let start = |arn: &String| {
            let job = self.start_backup(arn, &rule.vault, rule.days, None, &rule.copies)?;
            Ok(job["BackupJobId"].as_str().unwrap_or_default().to_owned())
        };
        self.plan.resources.iter().map(start).collect()
    }

    /// Does what all tests do, at whatever times.
    pub(crate) fn restore_everything(self: &Arc<Self>) -> Result<Vec<String>, BackupError> {
        let jobs = self.plan.tests.iter().map(|test| self.restore_by(test));
        jobs.collect::<Result<Vec<_>, _>>().map(|jobs| jobs.concat())
    }

    /// Starts a restore of the newest backup of everything that a test names; the jobs' ids. What
    /// has none within the test's days is left out, silently, as on AWS.
    fn restore_by(self: &Arc<Self>, test: &RestoreTest) -> Result<Vec<String>, BackupError> {
        let oldest_ms = runtime::now().millis() - i64::from(test.within_days) * DAY_MS;
        let mut jobs = Vec::new();
        for arn in &test.resources {
            let in_vault = |point: &Value| test.vaults.contains(&text(&point["BackupVaultArn"]));
            let newest = self.recovery_points(arn)?.into_iter().find(in_vault);
            let Some(newest) = newest.filter(|it| millis(&it["CreationDate"]) >= oldest_ms) else {
                continue;
            };
            let recovery_point = newest["RecoveryPointArn"].as_str().unwrap_or_default().to_owned();
            let restore = Restore { recovery_point, target: None, token: None };
            let job = self.start_restore(restore)?;
            jobs.push(job["RestoreJobId"].as_str().unwrap_or_default().to_owned());
        }
        Ok(jobs)
    }

    /// How a backup job stands: the resource, the state, and how many items it has.
    pub(crate) fn backup_state(&self, id: &str) -> Result<(String, String, u64), BackupError> {
        let job = self.backup_job(id)?;
        let state = if self.is_lost(id) { "FAILED" } else { job["State"].as_str().unwrap_or("") };
        let state = state.to_owned();
        Ok((name(&job["ResourceArn"]), state, job["Items"].as_u64().unwrap_or(0)))
    }

    /// How a restore job stands: the resource, the state, and the verdict where there is one.
    pub(crate) fn restore_state(
        &self,
        id: &str,
    ) -> Result<(String, String, Option<String>), BackupError> {
        let job = self.restore_job(id)?;
        let state = if self.is_lost(id) { "FAILED" } else { job["Status"].as_str().unwrap_or("") };
        let state = state.to_owned();
        let verdict = job["ValidationStatus"].as_str().map(str::to_owned);
        Ok((name(&job["SourceResourceArn"]), state, verdict))
    }

    /// Of a machine that slept past both times, backup and restore test are due at once: what is to be
    /// restored has to be there first.
    async fn wait_for_backups(&self) {
        let since = Instant::now();
        while since.elapsed() < BACKED_UP_WITHIN {
            tokio::time::sleep(LOOK_AGAIN).await;
            match self.documents.all(Kind::BackupJob) {
                Ok(jobs) if jobs.iter().any(|job| job["State"] == "RUNNING") => {}
                _ => return,
            }
        }
    }

    /// Runs the plan's rules and the test at their times, until dropped.
    pub(crate) fn spawn_calendars(self: &Arc<Self>, tasks: &mut tokio::task::JoinSet<()>) {
        for rule in self.plan.rules.clone() {
            let (backup, name) = (self.clone(), rule.name);
            tasks.spawn(rule.calendar.run(move |_| {
                if let Err(error) = backup.back_everything_up(&name) {
                    tracing::error!(%error, rule = name, "the backup did not start");
                }
                std::future::ready(())
            }));
        }
        for test in self.plan.tests.clone() {
            let backup = self.clone();
            tasks.spawn(test.calendar.clone().run(move |_| {
                let (backup, test) = (backup.clone(), test.clone());
                async move {
                    backup.wait_for_backups().await;
                    if let Err(error) = backup.restore_by(&test) {
                        tracing::error!(%error, "the restore test did not start");
                    }
                }
            }));
        }
    }
}

/// Of a table or bucket, without what all of them are called.
fn name(arn: &Value) -> String {
    let arn = arn.as_str().unwrap_or_default();
    let name = arn.rsplit(['/', ':']).next().unwrap_or_default();
    name.trim_start_matches("am-local-").to_owned()
}

pub(super) fn millis(seconds: &Value) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
    let millis = (seconds.as_f64().unwrap_or(0.0) * 1000.0) as i64;
    millis
}
