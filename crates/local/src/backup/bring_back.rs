//! A machine that has lost its database, and not its backups: the newest verified one is put in its place.

use std::sync::Arc;

use serde_json::Value;

use super::documents::Kind;
use super::{Backup, BackupError, Resource};
use crate::values::text;

/// Says that this was begun and is not done.
const MARKER: &str = "bringing-back";
/// Backups of one evening are begun within so long.
const OF_ONE_EVENING_MS: i64 = 60 * 60 * 1000;

/// What was put back.
#[derive(Clone, Debug)]
pub struct BroughtBack {
    /// The table or bucket.
    pub name: String,
    /// When its backup was begun: what was written later is lost.
    pub taken_at_ms: i64,
    /// How many items or objects.
    pub count: u64,
}

impl Backup {
    /// Fills what is empty from the newest backup that was verified, all but one table. Where there is anything,
    /// nothing is done.
    pub(crate) async fn bring_back(
        self: &Arc<Self>,
        leave_empty: &str,
    ) -> Result<Vec<BroughtBack>, BackupError> {
        let marker = self.folder.join(MARKER);
        let mut resources = Vec::new();
        for arn in self.plan.resources.iter().filter(|arn| !arn.ends_with(leave_empty)) {
            let resource = Resource::of_arn(arn);
            let resource = resource.ok_or_else(|| BackupError::Unknown(arn.clone()))?;
            if let Resource::Table(table) = &resource
                && self.tables.count(table)? > 0
                && !marker.exists()
            {
                let what = format!("{table} has data: `restore --to` goes back to a second");
                return Err(BackupError::Refused(what));
            }
            resources.push((arn, resource));
        }
        let points = self.newest_verified_evening(&resources)?;
        // Cut off from here on, it is done again, and nobody uses a half of it.
        std::fs::write(&marker, [])?;
        let mut all = Vec::new();
        for (resource, point) in points {
            let file = self.recovery_point_file(&text(&point["RecoveryPointArn"]));
            let count = match &resource {
                Resource::Table(table) => {
                    let (tables, table) = (self.tables.clone(), table.clone());
                    let filled = tokio::task::spawn_blocking(move || {
                        tables.fill(&table, &file)?;
                        tables.count(&table)
                    });
                    filled.await.map_err(|error| BackupError::Database(error.to_string()))??
                }
                // Of what is there already, nothing is written over.
                Resource::Bucket(bucket) => self.fill_bucket(&file, bucket, true).await?,
            };
            let taken_at_ms = super::evening::millis(&point["CreationDate"]);
            all.push(BroughtBack { name: resource.name().to_owned(), taken_at_ms, count });
        }
        std::fs::remove_file(&marker)?;
        Ok(all)
    }

    /// Whether the database is only half brought back.
    pub(crate) fn is_half_back(&self) -> bool {
        self.folder.join(MARKER).exists()
    }

    /// The newest evening of which a backup of everything was verified, and is there.
    fn newest_verified_evening(
        &self,
        resources: &[(&String, Resource)],
    ) -> Result<Vec<(Resource, Value)>, BackupError> {
        let mut verified = Vec::new();
        for (arn, resource) in resources {
            let points = self.verified(arn)?;
            if points.is_empty() {
                let none = format!("verified backup of {}", resource.name());
                return Err(BackupError::Unknown(none));
            }
            verified.push((resource.clone(), points));
        }
        let at = |point: &Value| super::evening::millis(&point["CreationDate"]);
        for first in &verified[0].1 {
            let of_evening = |point: &&Value| (at(point) - at(first)).abs() <= OF_ONE_EVENING_MS;
            let all: Option<Vec<_>> = verified
                .iter()
                .map(|(resource, points)| {
                    let point = points.iter().find(of_evening)?;
                    Some((resource.clone(), point.clone()))
                })
                .collect();
            if let Some(all) = all {
                return Ok(all);
            }
        }
        Err(BackupError::Unknown("evening of which everything was verified".to_owned()))
    }

    /// The backups whose restore was verified, the newest first.
    fn verified(&self, arn: &str) -> Result<Vec<Value>, BackupError> {
        let jobs = self.documents.all(Kind::RestoreJob)?;
        let mut points = self.recovery_points(arn)?;
        points.retain(|point| {
            let there = self.recovery_point_file(&text(&point["RecoveryPointArn"])).exists();
            let verified = jobs.iter().any(|job| {
                job["RecoveryPointArn"] == point["RecoveryPointArn"]
                    && job["ValidationStatus"] == "SUCCESSFUL"
            });
            there && verified
        });
        Ok(points)
    }
}
