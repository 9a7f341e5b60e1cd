//! `POST /v1/crashes`: passes a crash of an app or of the web client on to Sentry, without personal data:
//! what its SDKs send with the option `tunnel`. Anyone, with or without a session, 300 times in a
//! quarter of an hour.

use am_http::{Problem, Request, Response, StatusCode, json, with_header};
use crashes::{
    Answer, Dsn, Envelope, EnvelopeError, KnownProjects, Limits, Sentry, UnpackError, unpack,
};
use lambda_http::http::HeaderName;
use lambda_http::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, RETRY_AFTER};
use runtime::HttpFunction;
use serde::Serialize;
use store::{CrashBucket, Store};

/// Sentry's own header, which its SDKs understand.
const RATE_LIMITS: HeaderName = HeaderName::from_static("x-sentry-rate-limits");
/// Where Sentry says "too many" and not for how long.
const RETRY_AFTER_S: &str = "60";

/// What the function needs.
pub struct Context {
    store: Store,
    bucket: CrashBucket,
    /// Those of the apps and of the web client.
    projects: KnownProjects,
    sentry: Sentry,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
struct Taken {
    /// The event's, as in Sentry's own answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    state: State,
    /// The kinds of items that were not passed on: what they hold may be personal.
    left_out: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Sentry has it.
    Sent,
    /// Sentry could not take it: it will be sent later.
    Kept,
    /// Nothing in it is passed on.
    Dropped,
}

/// What the function is made of and what it does.
pub const FUNCTION: HttpFunction<Context> = HttpFunction {
    build: |env| {
        Ok(Context {
            store: env.store()?,
            bucket: env.crash_bucket()?,
            projects: env.parsed_if_set("DEVICE_SENTRY_DSNS")?.unwrap_or_default(),
            sentry: Sentry::default(),
        })
    },
    handle: |context, request| Box::pin(handle(context, request)),
};

pub async fn handle(context: &Context, request: &Request) -> Result<Response, Problem> {
    count(&context.store, request).await?;
    let (mut envelope, dsn, event_id) = read(&context.projects, request)?;
    let left_out = envelope.scrub();
    let taken = |state| Taken { id: event_id.clone(), state, left_out };
    if envelope.is_empty() {
        return Ok(json(StatusCode::OK, &taken(State::Dropped)));
    }

    let id = event_id.clone().unwrap_or_else(|| digest(&envelope));
    note(&context.store, &id, request).await?;
    match context.sentry.send(&dsn, envelope.to_bytes()).await {
        Ok(Answer::Taken(limits)) => {
            Ok(with_limits(json(StatusCode::OK, &taken(State::Sent)), &limits))
        }
        Ok(Answer::TooMany(limits)) => {
            forget(&context.store, &id).await;
            Err(too_many(&limits))
        }
        Ok(Answer::Refused { status }) => {
            forget(&context.store, &id).await;
            Err(refused(status))
        }
        Err(cause) => {
            tracing::warn!(%cause, "a crash is kept until Sentry takes it");
            let project = dsn.project_id().value();
            if let Err(error) = context.bucket.keep(project, &id, envelope.to_bytes()).await {
                forget(&context.store, &id).await;
                return Err(error.into());
            }
            Ok(json(StatusCode::ACCEPTED, &taken(State::Kept)))
        }
    }
}

/// Refuses a source that sends too much. A crash may be why the database does not answer: then it is
/// passed on uncounted.
async fn count(store: &Store, request: &Request) -> Result<(), Problem> {
    let now = request.now();
    match store.attempt_crash(&request.source(), now).await {
        Ok(attempt) => match attempt.refused_for(now) {
            Some(wait) => {
                let detail = "Too many crashes from here. Wait a while.";
                Err(Problem::too_many(detail, wait.as_secs().max(1)))
            }
            None => Ok(()),
        },
        Err(cause) => {
            tracing::error!(cause = &cause as &dyn std::error::Error, "a crash is not counted");
            Ok(())
        }
    }
}

/// The envelope, the project that it is for, and the id of the event in it, if there is one.
fn read(
    projects: &KnownProjects,
    request: &Request,
) -> Result<(Envelope, Dsn, Option<String>), Problem> {
    let encoding = request.header(CONTENT_ENCODING.as_str());
    let body = unpack(encoding, request.raw_body()).map_err(not_unpacked)?;
    let envelope = Envelope::parse(&body).map_err(no_envelope)?;
    let dsn = envelope.dsn().map_err(no_envelope)?;
    if !projects.know(&dsn) {
        let detail = "The DSN is not one that crashes may be sent to from here.";
        return Err(Problem::forbidden("unknown_dsn", detail));
    }
    let event_id = envelope.event_id().map_err(no_envelope)?;
    Ok((envelope, dsn, event_id))
}

fn not_unpacked(error: UnpackError) -> Problem {
    let detail = format!("The body: {error}.");
    match error {
        UnpackError::Unknown => {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            Problem::new(status, "unsupported_encoding", detail)
                .header(ACCEPT_ENCODING, "gzip, deflate")
        }
        UnpackError::Broken => Problem::malformed("malformed_encoding", detail),
        UnpackError::TooLarge => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
        }
    }
}

fn no_envelope(error: EnvelopeError) -> Problem {
    let detail = format!("The body is no envelope of Sentry's: {error}.");
    match error {
        EnvelopeError::TooLarge(_) | EnvelopeError::TooMany => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "envelope_too_large", detail)
        }
        _ => Problem::malformed("malformed_envelope", detail),
    }
}

/// What tells an envelope without an event from another one.
fn digest(envelope: &Envelope) -> String {
    domain::Digest::of(&[&envelope.items_to_bytes()]).to_string()
}

/// Refuses what was taken before. Without the database to ask, Sentry tells repeated events itself.
async fn note(store: &Store, id: &str, request: &Request) -> Result<(), Problem> {
    match store.note_crash(id, request.now()).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            let detail = "This crash was taken before. There is nothing left to do.";
            Err(Problem::conflict("replayed", detail))
        }
        Err(cause) => {
            tracing::error!(cause = &cause as &dyn std::error::Error, "a crash is not noted");
            Ok(())
        }
    }
}

/// What was not taken may come again.
async fn forget(store: &Store, id: &str) {
    if let Err(cause) = store.forget_crash(id).await {
        tracing::error!(cause = &cause as &dyn std::error::Error, "a crash is not forgotten");
    }
}

fn with_limits(mut response: Response, limits: &Limits) -> Response {
    for (name, value) in [(RATE_LIMITS, &limits.rate_limits), (RETRY_AFTER, &limits.retry_after)] {
        if let Some(value) = value {
            response = with_header(response, name, value);
        }
    }
    response
}

fn too_many(limits: &Limits) -> Problem {
    let retry_after = limits.retry_after.as_deref().unwrap_or(RETRY_AFTER_S);
    let detail = "Sentry has had enough for a while. The headers say for how long.";
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "sentry_rate_limit", detail)
        .header(RETRY_AFTER, retry_after);
    match &limits.rate_limits {
        Some(limits) => problem.header(RATE_LIMITS, limits),
        None => problem,
    }
}

fn refused(status: u16) -> Problem {
    // Not for what was sent, but for where to: the project or its key is gone.
    if matches!(status, 401 | 403 | 404) {
        tracing::error!(status, "Sentry does not know a project of ours");
    }
    let detail = format!("Sentry refused it with status {status}.");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "refused_by_sentry", detail)
}
