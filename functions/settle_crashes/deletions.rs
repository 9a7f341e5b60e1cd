//! The issues that are resolved, and the deletion of their crashes.

use std::error::Error;

use crashes::{Api, ApiError, Issue, IssueId};
use domain::Timestamp;
use runtime::EventError;
use store::Deletion;

use super::Context;

#[derive(Default)]
pub(super) struct Resolved {
    /// Resolved, in projects of ours.
    pub(super) issues: Vec<Issue>,
    /// How many were noted that somebody has deleted since.
    pub(super) gone: u64,
    /// Whether Sentry has told them all.
    pub(super) asked: bool,
}

/// What Sentry says is resolved, now. Somebody may have reopened what a webhook told of.
pub(super) async fn resolved(
    context: &Context,
    api: &Api,
    now: Timestamp,
) -> Result<Resolved, EventError> {
    let mut resolved = Resolved::default();
    match api.resolved(&context.projects).await {
        Ok(issues) => {
            resolved.asked = true;
            resolved.issues.extend(issues.into_iter().filter(|issue| is_due(context, issue)));
        }
        Err(error) => tell(&error),
    }
    for (id, _) in context.store.resolved().await? {
        let id = IssueId::try_from(id)?;
        if resolved.issues.iter().any(|issue| issue.id == id) {
            continue;
        }
        match api.issue(&id).await {
            Ok(Some(issue)) if is_due(context, &issue) => resolved.issues.push(issue),
            Ok(Some(_)) => context.store.forget_resolved(&id.to_string()).await?,
            Ok(None) => {
                context.store.note_deleted(&deletion(&id, None, 0, now)).await?;
                resolved.gone += 1;
            }
            Err(error) => {
                tell(&error);
                resolved.asked = false;
            }
        }
    }
    Ok(resolved)
}

fn is_due(context: &Context, issue: &Issue) -> bool {
    issue.is_resolved() && issue.is_in(&context.projects)
}

/// Deletes issues with all of their crashes, of which `kept_here` were here alone. How many are gone.
pub(super) async fn delete(
    context: &Context,
    api: &Api,
    issues: &[Issue],
    kept_here: &[u64],
    now: Timestamp,
) -> Result<u64, EventError> {
    let mut deleted = 0;
    for (issue, kept_here) in issues.iter().zip(kept_here) {
        if let Err(error) = api.delete(&issue.id).await {
            tell(&error);
            continue;
        }
        let deletion = deletion(&issue.id, Some(issue.project()), *kept_here, now);
        context.store.note_deleted(&deletion).await?;
        deleted += 1;
    }
    Ok(deleted)
}

fn deletion(id: &IssueId, project: Option<&str>, kept_here: u64, now: Timestamp) -> Deletion {
    let project = project.map(str::to_owned);
    Deletion { issue: id.to_string(), project, deleted_at: now, kept_here }
}

/// The next hour tries again; how long that has gone wrong is told by the caller.
fn tell(error: &ApiError) {
    match error {
        ApiError::Unreachable(_) => {
            tracing::warn!(cause = error as &dyn Error, "Sentry was not asked");
        }
        _ => tracing::error!(failed = 1, cause = error as &dyn Error, "Sentry was not asked"),
    }
}
