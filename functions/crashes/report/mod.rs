//! `POST /v1/crashes`: passes a crash of an app or of the web client on to Sentry, without personal data:
//! what its SDKs send with the option `tunnel`. `POST /v1/crashes/api/{project}/envelope/`: the same for
//! SDKs without that option, which take us for Sentry. Anyone, with or without a session, 1,000 times in a
//! quarter of an hour.

use std::time::Duration;

use am_http::{
    Answer, Code, Declaration, Handle, Method, Parameter, Problem, Request, RequestBody, Response,
    ResponseHeader, Route, StatusCode, empty, json, with_header,
};
use crashes::{
    Address, Envelope, EnvelopeError, KnownProjects, Limits, Sentry, UnpackError, unpack,
};
use lambda_http::http::HeaderName;
use lambda_http::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, RETRY_AFTER};
use runtime::HttpFunction;
use serde::Serialize;
use store::tenant::CrashBucket;
use store::{Store, StoreError};

use super::REPLAYED;
use crate::resources::device_projects;

/// Sentry's own header, which its SDKs understand.
const RATE_LIMITS: HeaderName = HeaderName::from_static("x-sentry-rate-limits");
const RATE_LIMITS_HEADER: ResponseHeader = ResponseHeader {
    name: "X-Sentry-Rate-Limits",
    meaning: "What to send less of, as Sentry says.",
};
/// Where Sentry says "too many" and not for how long.
const RETRY_AFTER_S: &str = "60";
/// A device waits meanwhile; what takes longer is kept.
const SEND_WITHIN: Duration = Duration::from_secs(2);
/// A crash may be why the database does not answer: then it is passed on all the same.
const STORE_WITHIN: Duration = Duration::from_secs(1);

/// What the function needs.
pub struct Context {
    store: Store,
    bucket: CrashBucket,
    /// Those of the apps and of the web client.
    projects: KnownProjects,
    sentry: Sentry,
}

/// What became of an envelope.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "CrashTaken"))]
struct Taken<'a> {
    /// The event's, as in Sentry's own answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    state: State,
    /// The kinds of items that were not passed on: what they hold may be personal.
    left_out: &'a [String],
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "CrashState"))]
#[serde(rename_all = "snake_case")]
enum State {
    /// Sentry has it.
    Sent,
    /// Sentry could not take it: it will be sent later.
    Kept,
    /// Nothing in it is passed on.
    Dropped,
}

const MALFORMED_ENVELOPE: Code =
    Code::new(StatusCode::BAD_REQUEST, "malformed_envelope", "The body is no envelope.");
const MALFORMED_ENCODING: Code = Code::new(
    StatusCode::BAD_REQUEST,
    "malformed_encoding",
    "The body is not packed as Content-Encoding says.",
);
const UNKNOWN_DSN: Code =
    Code::new(StatusCode::FORBIDDEN, "unknown_dsn", "Its DSN is none of the known ones.");
const ENVELOPE_TOO_LARGE: Code = Code::new(
    StatusCode::PAYLOAD_TOO_LARGE,
    "envelope_too_large",
    "There is too much in the envelope.",
);
const UNSUPPORTED_ENCODING: Code = Code::new(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "unsupported_encoding",
    "Accept-Encoding says how it may be packed.",
);
const REFUSED_BY_SENTRY: Code =
    Code::new(StatusCode::UNPROCESSABLE_ENTITY, "refused_by_sentry", "Sentry refused it.");
const SENTRY_RATE_LIMIT: Code = Code::new(
    StatusCode::TOO_MANY_REQUESTS,
    "sentry_rate_limit",
    "Sentry has had enough; Retry-After and X-Sentry-Rate-Limits say for how long.",
);

const SENTRY_AUTH: Parameter = Parameter::optional_header::<String>(
    "X-Sentry-Auth",
    "Has sentry_key, the key of the DSN, where the envelope does not name its DSN.",
);

pub const FUNCTION: HttpFunction<Context> = HttpFunction {
    declaration: Declaration {
        name: "report-crash",
        routes: &[
            Route::post("/v1/crashes"),
            Route::post("/v1/crashes/{sentry_path+}"),
            // With a slash at the end, as some are told it.
            Route::post("/v1/crashes/"),
            Route::options("/v1/crashes"),
            Route::options("/v1/crashes/{sentry_path+}"),
            Route::options("/v1/crashes/"),
        ],
        summary: "Passes a crash of a device on to Sentry, without personal data",
        parameters: &[
            Parameter::path::<String>("sentry_path", "What SDKs add: api/PROJECT/envelope/."),
            SENTRY_AUTH,
            Parameter::query::<String>("sentry_key", "The same as in X-Sentry-Auth."),
        ],
        body: RequestBody::Raw {
            media_type: "application/x-sentry-envelope",
            meaning: "An envelope of Sentry's SDKs, as it is or packed with gzip, deflate or br.",
        },
        answers: &[
            Answer::json::<Taken<'static>>(
                StatusCode::OK,
                "Sentry has it, or nothing is passed on.",
            )
            .with(&[RATE_LIMITS_HEADER]),
            Answer::json::<Taken<'static>>(
                StatusCode::ACCEPTED,
                "It is kept until Sentry takes it.",
            ),
        ],
        problems: &[
            MALFORMED_ENVELOPE,
            MALFORMED_ENCODING,
            UNKNOWN_DSN,
            REPLAYED,
            Code::BODY_TOO_LARGE,
            ENVELOPE_TOO_LARGE,
            UNSUPPORTED_ENCODING,
            REFUSED_BY_SENTRY,
            Code::TOO_MANY_ATTEMPTS,
            SENTRY_RATE_LIMIT,
            Code::BUSY,
        ],
    },
    build: |env| {
        Ok(Context {
            store: env.store()?,
            bucket: env.crash_bucket()?,
            projects: device_projects(env)?,
            sentry: Sentry::default(),
        })
    },
    handle: Handle::Anyone(|context, request| Box::pin(handle(context, request))),
};

pub async fn handle(context: &Context, request: &Request) -> Result<Response, Problem> {
    if *request.method() == Method::OPTIONS {
        return Ok(CORS.iter().fold(empty(StatusCode::NO_CONTENT), |answer, (name, value)| {
            with_header(answer, HeaderName::from_static(name), value)
        }));
    }
    // A page of another origin that has a DSN of ours may read how it went.
    match take(context, request).await {
        Ok(answer) => Ok(CORS[..READ].iter().fold(answer, |answer, (name, value)| {
            with_header(answer, HeaderName::from_static(name), value)
        })),
        Err(problem) if problem.code() == UNKNOWN_DSN.name => Err(problem),
        Err(problem) => Err(CORS[..READ].iter().fold(problem, |problem, (name, value)| {
            problem.header(HeaderName::from_static(name), value)
        })),
    }
}

/// The Fetch standard's headers: the first of every answer, the others of one to a question beforehand.
const CORS: [(&str, &str); 5] = [
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "retry-after, x-sentry-rate-limits"),
    ("access-control-allow-methods", "POST"),
    ("access-control-allow-headers", "content-type, content-encoding, x-sentry-auth"),
    ("access-control-max-age", "86400"),
];
const READ: usize = 2;

async fn take(context: &Context, request: &Request) -> Result<Response, Problem> {
    count(&context.store, request).await?;
    let envelope = read(&context.projects, request)?;
    let taken = |status, state| {
        let (id, left_out) = (envelope.event_id(), envelope.left_out());
        json(status, &Taken { id, state, left_out })
    };
    if envelope.is_empty() {
        return Ok(taken(StatusCode::OK, State::Dropped));
    }
    let identity = envelope.identity();
    refuse_known(&context.store, identity.as_deref(), request).await?;

    let (dsn, bytes) = (envelope.dsn(), envelope.to_bytes());
    let response = match context.sentry.send(dsn, bytes.clone(), SEND_WITHIN).await {
        Ok(crashes::Answer::Taken(limits)) => {
            with_limits(taken(StatusCode::OK, State::Sent), &limits)
        }
        Ok(crashes::Answer::TooMany(limits)) => return Err(too_many(&limits)),
        Ok(crashes::Answer::Refused { status }) => return Err(refused(status)),
        Ok(crashes::Answer::Unknown { status }) => {
            tracing::error!(status, "Sentry does not know a project of ours");
            keep(&context.bucket, &envelope, bytes, request).await?;
            taken(StatusCode::ACCEPTED, State::Kept)
        }
        Err(cause) => {
            tracing::warn!(%cause, "a crash is kept until Sentry takes it");
            keep(&context.bucket, &envelope, bytes, request).await?;
            taken(StatusCode::ACCEPTED, State::Kept)
        }
    };
    if let Some(identity) = identity {
        // Should it come again all the same, Sentry tells repeated events itself.
        in_time(context.store.note_crash(&identity, request.now())).await;
    }
    Ok(response)
}

/// What the database says in time, if it does.
async fn in_time<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    match tokio::time::timeout(STORE_WITHIN, asked).await {
        Ok(Ok(told)) => Some(told),
        Ok(Err(cause)) => {
            tracing::error!(cause = &cause as &dyn std::error::Error, "a crash goes on unnoted");
            None
        }
        Err(_) => {
            tracing::error!("a crash goes on unnoted: the database did not answer in time");
            None
        }
    }
}

/// Refuses a source that sends too much.
async fn count(store: &Store, request: &Request) -> Result<(), Problem> {
    let now = request.now();
    let attempt = in_time(store.attempt_crash(&request.source(), now)).await;
    match attempt.and_then(|attempt| attempt.refused_for(now)) {
        Some(wait) => {
            let detail = "Too many crashes from here. Wait a while.";
            Err(Problem::too_many(detail, wait))
        }
        None => Ok(()),
    }
}

/// Refuses what was taken before.
async fn refuse_known(
    store: &Store,
    identity: Option<&str>,
    request: &Request,
) -> Result<(), Problem> {
    let Some(identity) = identity else { return Ok(()) };
    if in_time(store.knows_crash(identity, request.now())).await == Some(true) {
        let detail = "This crash was taken before. There is nothing left to do.";
        return Err(Problem::new(REPLAYED, detail));
    }
    Ok(())
}

fn read(projects: &KnownProjects, request: &Request) -> Result<Envelope, Problem> {
    let path: Option<String> = request.path("sentry_path").ok();
    let key = sentry_key(request)?;
    let address = match path.as_deref().map(project) {
        None => Address::InHeaders,
        Some(None) => return Err(Problem::not_found()),
        Some(Some(project)) => Address::Project(project, &key),
    };
    let encoding = request.header(CONTENT_ENCODING.as_str());
    let body = unpack(encoding, request.raw_body()).map_err(not_unpacked)?;
    Envelope::read(&body, address, projects).map_err(no_envelope)
}

/// `7` of `api/7/envelope/`.
fn project(path: &str) -> Option<&str> {
    path.strip_prefix("api/")?.trim_end_matches('/').strip_suffix("/envelope")
}

/// The key that an SDK shows to Sentry: in its header, or in the query. Empty where there is none.
fn sentry_key(request: &Request) -> Result<String, Problem> {
    let header = request.header("x-sentry-auth").unwrap_or("");
    let mut members = header.trim_start_matches("Sentry").split(',').map(str::trim);
    match members.find_map(|member| member.strip_prefix("sentry_key=")) {
        Some(key) => Ok(key.to_owned()),
        None => Ok(request.query("sentry_key")?.unwrap_or_default()),
    }
}

fn not_unpacked(error: UnpackError) -> Problem {
    let detail = format!("The body: {error}.");
    match error {
        UnpackError::Unknown => {
            Problem::new(UNSUPPORTED_ENCODING, detail).header(ACCEPT_ENCODING, "gzip, deflate, br")
        }
        UnpackError::Broken | UnpackError::TooManyMembers => {
            Problem::new(MALFORMED_ENCODING, detail)
        }
        UnpackError::TooLarge => Problem::new(Code::BODY_TOO_LARGE, detail),
    }
}

fn no_envelope(error: EnvelopeError) -> Problem {
    let detail = format!("The body is no envelope that is sent on: {error}.");
    match error {
        EnvelopeError::UnknownDsn => Problem::new(UNKNOWN_DSN, detail),
        EnvelopeError::TooLarge(_) | EnvelopeError::TooMany => {
            Problem::new(ENVELOPE_TOO_LARGE, detail)
        }
        _ => Problem::new(MALFORMED_ENVELOPE, detail),
    }
}

async fn keep(
    bucket: &CrashBucket,
    envelope: &Envelope,
    bytes: Vec<u8>,
    request: &Request,
) -> Result<(), Problem> {
    let key = envelope.identity().unwrap_or_else(|| {
        let digest = domain::Digest::of(&[request.id().as_bytes(), &bytes]);
        format!("{}/{digest}", envelope.dsn().project_id())
    });
    Ok(bucket.keep(&key, bytes).await?)
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
    let problem = Problem::new(SENTRY_RATE_LIMIT, detail).header(RETRY_AFTER, retry_after);
    match &limits.rate_limits {
        Some(limits) => problem.header(RATE_LIMITS, limits),
        None => problem,
    }
}

fn refused(status: u16) -> Problem {
    let detail = format!("Sentry refused it with status {status}.");
    Problem::new(REFUSED_BY_SENTRY, detail)
}
