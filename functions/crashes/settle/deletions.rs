//! The issues that are resolved, and the deletion of their crashes.

use std::error::Error;

use crashes::{Api, ApiError, Issue, IssueId};
use domain::Timestamp;
use runtime::EventError;
use store::operator::Deletion;

use super::Context;

/// Of issues that only a webhook told of, so many are asked for in one run; and as many fit a request.
const ISSUES_MAX: usize = 100;

#[derive(Default)]
pub(super) struct Resolved {
    /// Resolved, in projects of ours.
    pub(super) issues: Vec<Due>,
    /// Noted as resolved, and deleted by somebody since.
    gone: Vec<IssueId>,
    /// Whether Sentry has told them all.
    pub(super) asked: bool,
}

/// An issue whose crashes are to be deleted.
pub(super) struct Due {
    pub(super) issue: Issue,
    /// Since when that is known: what came later is not of what was resolved.
    pub(super) since: Timestamp,
    /// How many of its crashes were here alone, and are deleted.
    pub(super) kept_here: u64,
}

/// What Sentry says is resolved, now. Somebody may have reopened what a webhook told of.
pub(super) async fn resolved(
    context: &Context,
    api: &Api,
    now: Timestamp,
) -> Result<Resolved, EventError> {
    let mut resolved = Resolved::default();
    let listed = match api.resolved(&context.projects).await {
        Ok(listed) => listed,
        Err(error) => {
            tell(&error);
            return Ok(resolved);
        }
    };
    resolved.asked = true;
    let mut noted = context.operator.resolved().await?;
    for issue in listed.into_iter().filter(|issue| is_due(context, issue)) {
        let id = issue.id.to_string();
        let before = noted.iter().position(|(noted, _)| *noted == id);
        let since = match before {
            Some(before) => noted.swap_remove(before).1,
            // From now on it shows, should it not be deleted.
            None => {
                context.store.note_resolved(&id, now).await?;
                now
            }
        };
        resolved.issues.push(Due { issue, since, kept_here: 0 });
    }
    for (id, since) in noted.into_iter().take(ISSUES_MAX) {
        let id = IssueId::try_from(id)?;
        match api.issue(&id).await {
            // Merged into another, it has the other's number.
            Ok(Some(issue)) if is_due(context, &issue) && issue.id == id => {
                resolved.issues.push(Due { issue, since, kept_here: 0 });
            }
            Ok(Some(_)) => context.operator.forget_resolved(&id.to_string()).await?,
            Ok(None) => resolved.gone.push(id),
            Err(error) => {
                tell(&error);
                resolved.asked = false;
                break;
            }
        }
    }
    Ok(resolved)
}

fn is_due(context: &Context, issue: &Issue) -> bool {
    issue.is_resolved() && issue.is_in(&context.projects)
}

/// Has the issues deleted with all of their crashes. How many are, and were not before.
pub(super) async fn delete(
    context: &Context,
    api: &Api,
    resolved: &Resolved,
    now: Timestamp,
) -> Result<u64, EventError> {
    let mut deletions: Vec<Deletion> =
        resolved.gone.iter().map(|id| deletion(id, None, 0, now)).collect();
    for issues in resolved.issues.chunks(ISSUES_MAX) {
        let ids: Vec<&IssueId> = issues.iter().map(|due| &due.issue.id).collect();
        match api.delete(&ids, &context.projects).await {
            Ok(()) => {
                deletions.extend(issues.iter().map(|due| {
                    deletion(&due.issue.id, Some(due.issue.project()), due.kept_here, now)
                }))
            }
            Err(error) => tell(&error),
        }
    }
    let mut deleted = 0;
    for deletion in deletions {
        deleted += u64::from(context.operator.note_deleted(&deletion).await?);
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
