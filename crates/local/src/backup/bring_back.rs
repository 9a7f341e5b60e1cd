//! A machine that has lost its database, and not its backups: the newest verified one is put in its place.

use std::sync::Arc;

use serde_json::Value;

use super::documents::Kind;
use super::{Backup, BackupError, Resource};
use crate::values::text;

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
        let mut resources = Vec::new();
        for arn in self.plan.resources.iter().filter(|arn| !arn.ends_with(leave_empty)) {
            let resource = Resource::of_arn(arn);
            let resource = resource.ok_or_else(|| BackupError::Unknown(arn.clone()))?;
            if let Resource::Table(table) = &resource
                && self.tables.count(table)? > 0
            {
                let what = format!("{table} has data: `restore --to` goes back to a second");
                return Err(BackupError::Refused(what));
            }
            resources.push((arn, resource));
        }
        let mut points = Vec::new();
        for (arn, resource) in resources {
            let none = format!("verified backup of {}", resource.name());
            let point = self.newest_verified(arn)?.ok_or(BackupError::Unknown(none))?;
            points.push((resource, point));
        }
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
        Ok(all)
    }

    /// The newest backup of which a restore was verified.
    fn newest_verified(&self, arn: &str) -> Result<Option<Value>, BackupError> {
        let jobs = self.documents.all(Kind::RestoreJob)?;
        let verified = |point: &Value| {
            jobs.iter().any(|job| {
                job["RecoveryPointArn"] == point["RecoveryPointArn"]
                    && job["ValidationStatus"] == "SUCCESSFUL"
            })
        };
        Ok(self.recovery_points(arn)?.into_iter().find(verified))
    }
}
