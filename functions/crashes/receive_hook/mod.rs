//! `POST /v1/sentry-hooks`: what Sentry tells of its issues. Sentry alone: each request is signed. Of an
//! issue that is resolved it is noted that its crashes are to be deleted; `settle_crashes` does it.
//! Sentry waits for one second and does not try again.

use am_http::{
    Answer, Code, Declaration, Handle, Parameter, Problem, Request, RequestBody, Response, Route,
    StatusCode, json,
};
use crashes::{HookKey, IssueId, KnownProjects};
use runtime::HttpFunction;
use serde::{Deserialize, Serialize};
use store::Store;

use super::REPLAYED;
use crate::resources::projects;

/// What the function needs.
pub struct Context {
    store: Store,
    /// `None`: no integration is configured, and nobody can sign.
    key: Option<HookKey>,
    /// All of ours: an organization may have others.
    projects: KnownProjects,
}

/// As much as is needed of what Sentry tells.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "SentryHook"))]
struct Body {
    action: String,
    data: Data,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "SentryHookData"))]
struct Data {
    issue: Issue,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "SentryIssue"))]
struct Issue {
    #[cfg_attr(feature = "openapi", schemars(with = "String"))]
    id: IssueId,
    project: Project,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "SentryProject"))]
struct Project {
    id: String,
}

/// What became of it.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct HookTaken {
    /// Whether crashes will be deleted for it.
    noted: bool,
}

const UNSIGNED: Code =
    Code::new(StatusCode::FORBIDDEN, "unsigned", "The header Sentry-Hook-Signature is missing.");
const WRONGLY_SIGNED: Code = Code::new(
    StatusCode::FORBIDDEN,
    "wrongly_signed",
    "The header Sentry-Hook-Signature is not the signature of this body.",
);

const SIGNATURE: Parameter = Parameter::optional_header::<String>(
    "Sentry-Hook-Signature",
    "The HMAC-SHA256 of the body under the integration's client secret, in hexadecimal digits.",
);
const RESOURCE: Parameter =
    Parameter::optional_header::<String>("Sentry-Hook-Resource", "What it is about: issue.");

pub const FUNCTION: HttpFunction<Context> = HttpFunction {
    declaration: Declaration {
        name: "receive-sentry-hook",
        routes: &[Route::post("/v1/sentry-hooks")],
        summary: "Takes what Sentry tells of its issues, signed",
        parameters: &[SIGNATURE, RESOURCE],
        body: RequestBody::json::<Body>(),
        answers: &[
            Answer::json::<HookTaken>(StatusCode::OK, "There is nothing to do."),
            Answer::json::<HookTaken>(StatusCode::ACCEPTED, "Crashes will be deleted for it."),
        ],
        problems: &[UNSIGNED, WRONGLY_SIGNED, REPLAYED, Code::BUSY],
    },
    build: |env| {
        Ok(Context {
            store: env.store()?,
            key: env.parsed_if_set("SENTRY_CLIENT_SECRET")?,
            projects: projects(env)?,
        })
    },
    handle: Handle::Anyone(|context, request| Box::pin(handle(context, request))),
};

pub async fn handle(context: &Context, request: &Request) -> Result<Response, Problem> {
    let signature = request.header("sentry-hook-signature").ok_or_else(unsigned)?;
    let key = context.key.as_ref().ok_or_else(wrongly_signed)?;
    if !key.has_signed(request.raw_body(), signature) {
        return Err(wrongly_signed());
    }
    if request.header("sentry-hook-resource") != Some("issue") {
        return Ok(json(StatusCode::OK, &HookTaken { noted: false }));
    }
    let Body { action, data: Data { issue } } = request.json()?;
    if action != "resolved" || !context.projects.is_project(&issue.project.id) {
        return Ok(json(StatusCode::OK, &HookTaken { noted: false }));
    }
    if !context.store.note_resolved(&issue.id.to_string(), request.now()).await? {
        let detail = "This issue's crashes are deleted, or are being deleted.";
        return Err(Problem::new(REPLAYED, detail));
    }
    Ok(json(StatusCode::ACCEPTED, &HookTaken { noted: true }))
}

fn unsigned() -> Problem {
    Problem::new(UNSIGNED, "The header Sentry-Hook-Signature is missing.")
}

fn wrongly_signed() -> Problem {
    let detail = "The header Sentry-Hook-Signature is not the signature of this body.";
    Problem::new(WRONGLY_SIGNED, detail)
}
