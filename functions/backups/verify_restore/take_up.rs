//! Restores of which no event has told.

use std::time::Duration;

use aws_sdk_backup::types::{RestoreJobStatus, RestoreJobsListMember, RestoreValidationStatus};
use domain::Timestamp;
use runtime::EventError;

use super::{Detail, Event, Outcome};
use crate::resources::{Backups, date_of, time_of};

/// A restore that ended so long ago is gone: AWS deletes what nobody has judged.
const TAKEN_UP_WITHIN: Duration = Duration::from_secs(8 * 60 * 60);
/// What ended less than this ago may be at work.
const JUDGED_WITHIN: Duration = Duration::from_secs(60 * 60);

/// Takes up one restore that a test has made and nobody has judged: one each hour, as large as they may be.
pub async fn take_up(context: &Backups, now: Timestamp) -> Result<Outcome, EventError> {
    let since = date_of(now.before(TAKEN_UP_WITHIN));
    let before = now.before(JUDGED_WITHIN);
    let jobs = context.aws_backup.list_restore_jobs().by_created_after(since);
    let mut jobs = jobs.into_paginator().items().send();
    let mut waiting = Vec::new();
    while let Some(job) = jobs.next().await.transpose()? {
        if waits(context, &job, before) {
            waiting.extend(job.restore_job_id);
        }
    }
    let mut left = waiting.len();
    for restore_job_id in waiting {
        left -= 1;
        tracing::warn!(job = restore_job_id, left, "no event told of a restore");
        let status = "COMPLETED".to_owned();
        let detail = Detail { restore_job_id: restore_job_id.clone(), status };
        let event = Event { detail: None, segment: None, segments: None };
        match super::handle(context, &event, &detail).await {
            Ok(_) => return Ok(Outcome::TakenUp { job: Some(restore_job_id), left }),
            // One that cannot be verified is in nobody's way.
            Err(error) => {
                let cause = error.to_string();
                tracing::error!(failed = 1, job = restore_job_id, cause, "not verified");
            }
        }
    }
    Ok(Outcome::TakenUp { job: None, left })
}

/// Whether it is a test of something of ours, done before then and not judged.
fn waits(context: &Backups, job: &RestoreJobsListMember, before: Timestamp) -> bool {
    let by = job.created_by.as_ref().and_then(|by| by.restore_testing_plan_arn());
    let of = job.source_resource_arn.as_deref().and_then(|arn| context.resource(arn));
    let judged = [RestoreValidationStatus::Successful, RestoreValidationStatus::Failed];
    job.status == Some(RestoreJobStatus::Completed)
        && by.is_some()
        && of.is_some()
        && time_of(job.completion_date).is_some_and(|ended| ended <= before)
        && job.validation_status.as_ref().is_none_or(|status| !judged.contains(status))
}
