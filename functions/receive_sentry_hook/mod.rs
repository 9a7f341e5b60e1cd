//! `POST /v1/sentry-hooks`: what Sentry tells of its issues. Sentry alone: each request is signed. Of an
//! issue that is resolved it is noted that its crashes are to be deleted; `settle_crashes` does it.
//! Sentry waits for one second and does not try again.

use am_http::{Problem, Request, Response, StatusCode, json};
use crashes::{HookKey, IssueId, KnownProjects};
use runtime::HttpFunction;
use serde::{Deserialize, Serialize};
use store::Store;

use crate::resources::projects;

/// What the function needs.
pub struct Context {
    store: Store,
    /// `None`: no integration is configured, and nobody can sign.
    key: Option<HookKey>,
    /// All of ours: an organization may have others.
    projects: KnownProjects,
}

/// As much as is needed of it.
#[derive(Deserialize)]
struct Body {
    action: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    issue: Issue,
}

#[derive(Deserialize)]
struct Issue {
    id: IssueId,
    project: Project,
}

#[derive(Deserialize)]
struct Project {
    id: String,
}

#[derive(Serialize)]
struct Answer {
    /// Whether crashes will be deleted for it.
    noted: bool,
}

/// What the function is made of and what it does.
pub const FUNCTION: HttpFunction<Context> = HttpFunction {
    build: |env| {
        Ok(Context {
            store: env.store()?,
            key: env.parsed_if_set("SENTRY_CLIENT_SECRET")?,
            projects: projects(env)?,
        })
    },
    handle: |context, request| Box::pin(handle(context, request)),
};

pub async fn handle(context: &Context, request: &Request) -> Result<Response, Problem> {
    let signature = request.header("sentry-hook-signature").ok_or_else(unsigned)?;
    let key = context.key.as_ref().ok_or_else(wrongly_signed)?;
    if !key.has_signed(request.raw_body(), signature) {
        return Err(wrongly_signed());
    }
    if request.header("sentry-hook-resource") != Some("issue") {
        return Ok(json(StatusCode::OK, &Answer { noted: false }));
    }
    let Body { action, data: Data { issue } } = request.json()?;
    if action != "resolved" || !context.projects.is_project(&issue.project.id) {
        return Ok(json(StatusCode::OK, &Answer { noted: false }));
    }
    if !context.store.note_resolved(&issue.id.to_string(), request.now()).await? {
        let detail = "This issue's crashes are deleted, or are being deleted.";
        return Err(Problem::conflict("replayed", detail));
    }
    Ok(json(StatusCode::ACCEPTED, &Answer { noted: true }))
}

fn unsigned() -> Problem {
    Problem::forbidden("unsigned", "The header Sentry-Hook-Signature is missing.")
}

fn wrongly_signed() -> Problem {
    let detail = "The header Sentry-Hook-Signature is not the signature of this body.";
    Problem::forbidden("wrongly_signed", detail)
}
