//! `POST /v1/changes`: makes changes that a device has kept while it was away, one after the other, each as if it had been
//! sent by itself. Members and above; a change may ask for more.

use std::time::{Duration, Instant};

use am_http::{
    Answer, Cursor, Declaration, Handle, Part, Problem, Request, RequestBody, Response, Route,
    SessionRequest, StatusCode, answer_part, json,
};
use domain::Role;
use lambda_http::Body as HttpBody;
use runtime::HttpFunction;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::Store;
use store::tenant::{FeedPlace, LaneEnds};

use crate::changes::list::RESYNC;
use crate::comments;
use crate::records::{create, delete, patch, restore, update};

/// So many changes are made at once.
const CHANGES_MAX: usize = 50;
/// No further change is begun that late: what is left can be sent again.
const BEGUN_WITHIN: Duration = Duration::from_secs(15);
/// Nor after so many bytes of answers.
const ANSWERS_BYTES: usize = 1_000_000;

/// What a device has kept.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Changes"))]
#[serde(deny_unknown_fields)]
struct Body {
    /// In the order in which they are made: 50 at most.
    changes: Vec<Change>,
    /// Where the device is in the feed. If that is no place any more, nothing is made, and the answer is 410: after a
    /// restore, what is named by a version may be another one.
    cursor: Option<String>,
}

impl Body {
    fn place(&self) -> Result<Option<FeedPlace>, Problem> {
        let place = self.cursor.as_deref().map(str::parse::<Cursor<FeedPlace>>).transpose();
        let place = place.map_err(|rule| Problem::invalid("/cursor", rule))?;
        Ok(place.map(|Cursor(place)| place))
    }
}

/// A request to change something, as it would be sent by itself.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Change {
    /// Its Idempotency-Key: sent again, in whatever way, it is made once and answered alike.
    key: String,
    /// POST, PUT, PATCH or DELETE.
    method: String,
    /// Of a record or a comment: `/v1/records`, and what is below one, but for appendices.
    path: String,
    /// What If-Match would say, with its quotes.
    if_match: Option<String>,
    /// What its body would be.
    #[cfg_attr(feature = "openapi", schemars(with = "Option<serde_json::Value>"))]
    body: Option<Box<RawValue>>,
}

/// What became of each.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct Verdicts {
    /// In the order of the changes. Where they are fewer, the rest was not tried, and can be sent again.
    verdicts: Vec<Verdict>,
}

/// What became of a change.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct Verdict {
    key: String,
    /// The status that it would have been answered with.
    status: u16,
    /// The body of that answer: of a problem, its code, and with 412 the record to merge with.
    #[cfg_attr(feature = "openapi", schemars(with = "Option<serde_json::Value>"))]
    body: Option<Box<RawValue>>,
}

/// What a change can be: the functions that do the same by themselves.
static MADE_BY: [&HttpFunction<Store>; 8] = [
    &create::FUNCTION,
    &update::FUNCTION,
    &patch::FUNCTION,
    &restore::FUNCTION,
    &delete::FUNCTION,
    &comments::add::FUNCTION,
    &comments::edit::FUNCTION,
    &comments::delete::FUNCTION,
];

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "make-changes",
        routes: &[Route::post("/v1/changes")],
        summary: "Makes changes that a device has kept",
        parameters: &[],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<Verdicts>(StatusCode::OK, "What became of each.")],
        problems: &[RESYNC],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Member,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    let started = Instant::now();
    let body = request.json::<Body>().and_then(|body| Ok((body.place()?, body.changes)));
    let ends = body.as_ref().ok().and_then(|(place, _)| place.as_ref()).map(|_| LaneEnds);
    let opened = request.open(store, ends).await?;
    let (place, changes) = body?;
    if let (Some(place), Some(ends)) = (place, opened.found)
        && !place.can_go_on(&ends, request.now())
    {
        return Err(Problem::new(RESYNC, "The service was restored, or this cursor is too old."));
    }
    if changes.len() > CHANGES_MAX {
        let rule = format!("must have at most {CHANGES_MAX} changes");
        return Err(Problem::invalid("/changes", rule));
    }
    let (mut verdicts, mut bytes) = (Vec::new(), 0);
    for change in changes {
        if started.elapsed() > BEGUN_WITHIN || bytes > ANSWERS_BYTES {
            break;
        }
        let verdict = make(store, &request, change).await;
        bytes += verdict.body.as_ref().map_or(0, |body| body.get().len());
        verdicts.push(verdict);
    }
    Ok(json(StatusCode::OK, &Verdicts { verdicts }))
}

/// The function that makes such a change, and by which of its routes.
fn made_by(method: &str, path: &str) -> Option<(&'static Route, &'static HttpFunction<Store>)> {
    MADE_BY.into_iter().find_map(|function| {
        let mut routes = function.declaration.routes.iter();
        let fitting = routes.find(|route| route.method.as_str() == method && route.fits(path));
        fitting.map(|route| (route, function))
    })
}

async fn make(store: &Store, request: &Request, change: Change) -> Verdict {
    let answer = match made_by(&change.method, &change.path) {
        None => {
            let rule = "is, with its path, no change of a record or a comment";
            Problem::invalid("/method", rule).into_response(request.id())
        }
        Some((route, function)) => {
            let part = request.part(&Part {
                route,
                path: &change.path,
                idempotency_key: &change.key,
                if_match: change.if_match.as_deref(),
                body: change.body.map_or_else(String::new, |body| body.get().to_owned()),
            });
            match part {
                Ok(part) => answer_part(store, &part, function.handle).await,
                Err(problem) => problem.into_response(request.id()),
            }
        }
    };
    let status = answer.status().as_u16();
    let body = match answer.into_body() {
        HttpBody::Text(text) => RawValue::from_string(text).ok(),
        _ => None,
    };
    Verdict { key: change.key, status, body }
}
