//! `GET /v1/policy`: what we promise of data and security, row by row, and how each promise stands.
//! Anyone. Nothing here asks AWS: it is what other functions have found and noted.

use std::collections::BTreeMap;
use std::time::Duration;

use am_http::{
    Answer, Code, Declaration, Handle, Problem, Request, RequestBody, Response, Route, StatusCode,
    json,
};
use domain::Timestamp;
use lambda_http::http::header::CACHE_CONTROL;
use runtime::HttpFunction;
use serde::Serialize;
use serde_json::{Value, json as value};
use store::Store;

use crate::policy::get_requirements::REQUIREMENTS;
use crate::shapes::{
    Audit, Chain, Check, CrashData, DELETED_WITHIN, InUse, RestoreState, RestoreView,
    VERIFIED_WITHIN, VerifiedBackup, WEEKLY_RESTORE,
};

/// An audit runs each hour; of one that is older, nobody knows how things stand.
const AUDITED_WITHIN: Duration = Duration::from_secs(2 * 60 * 60);

pub const FUNCTION: HttpFunction<(Store, Facts)> = HttpFunction {
    declaration: Declaration {
        name: "get-policy",
        routes: &[Route::get("/v1/policy"), Route::head("/v1/policy")],
        summary: "What we promise of data and security, and how each promise stands",
        parameters: &[],
        body: RequestBody::None,
        answers: &[Answer::json::<Policy>(StatusCode::OK, "Every promise.")],
        problems: &[Code::BUSY],
    },
    build: |env| {
        Ok((
            env.store()?,
            Facts {
                crashes_are_reported: env.has("SENTRY_DSN"),
                devices_report_crashes: env.has("DEVICE_SENTRY_DSNS"),
                region: env.required("AWS_REGION")?,
            },
        ))
    },
    handle: Handle::Anyone(|(store, facts), request| Box::pin(handle(store, facts, request))),
};

/// What the function's own environment says.
pub struct Facts {
    crashes_are_reported: bool,
    devices_report_crashes: bool,
    region: String,
}

/// How all promises stand.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct Policy {
    rows: Vec<Row>,
    /// When the last hourly audit was; null before the first.
    checked_at: Option<Timestamp>,
}

/// How one promise stands.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "PolicyRow"))]
struct Row {
    /// Its number in the policy.
    row: u32,
    promise: &'static str,
    state: State,
    /// For reading; its names may change.
    evidence: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "PolicyState"))]
#[serde(rename_all = "snake_case")]
enum State {
    Kept,
    Broken,
    /// Nobody has looked, or not lately.
    Unknown,
}

impl State {
    /// How something stands that needs both.
    const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Broken, _) | (_, Self::Broken) => Self::Broken,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Kept, Self::Kept) => Self::Kept,
        }
    }
}

/// How everything stands that is noted.
struct Noted {
    audit: Option<(Timestamp, Audit)>,
    backup: Option<VerifiedBackup>,
    chain: Option<Chain>,
    /// Whether all that is in use was what it has to be, when a restore test looked last.
    in_use_is_whole: bool,
    crashes: Option<CrashData>,
    restores: Vec<RestoreView>,
    now: Timestamp,
}

pub async fn handle(store: &Store, facts: &Facts, request: &Request) -> Result<Response, Problem> {
    let (policy, restores) =
        futures_util::try_join!(store.policy::<Value>(), store.restore_views())?;
    let now = request.now();
    let mut noted = Noted {
        audit: None,
        backup: None,
        chain: None,
        in_use_is_whole: true,
        crashes: None,
        restores,
        now,
    };
    for (what, at, state) in policy {
        match what.as_str() {
            Audit::NAME => noted.audit = serde_json::from_value(state).ok().map(|it| (at, it)),
            CrashData::NAME => noted.crashes = serde_json::from_value(state).ok(),
            Chain::NAME => noted.chain = serde_json::from_value(state).ok(),
            VerifiedBackup::NAME => noted.backup = serde_json::from_value(state).ok(),
            name if name.starts_with(InUse::PREFIX) => {
                let whole = serde_json::from_value(state).is_ok_and(|it: InUse| it.is_whole());
                noted.in_use_is_whole &= whole;
            }
            _ => {}
        }
    }
    let checked_at = noted.audit.as_ref().map(|(at, _)| *at);
    let answer = Policy { rows: rows(&noted, facts), checked_at };
    let response = json(StatusCode::OK, &answer);
    Ok(am_http::with_header(response, CACHE_CONTROL, "public, max-age=60"))
}

/// A row for each promise, by its number in the policy: how it stands.
fn rows(noted: &Noted, facts: &Facts) -> Vec<Row> {
    let row = |row, promise, (state, evidence)| Row { row, promise, state, evidence };
    vec![
        row(
            1,
            "Data does not disappear, is not disclosed, and does not end in the wrong hands.",
            noted.data(),
        ),
        row(
            2,
            "A cloud service with an app: nothing to install or update on a phone, tablet or \
             computer.",
            nobody_looks(value!({
                "clients": ["browsers, with a cookie", "apps, with a token"],
                "api": "/v1",
            })),
        ),
        row(
            3,
            "Everything runs on Amazon Web Services.",
            nobody_looks(value!({
                "services": ["API Gateway", "Lambda", "DynamoDB", "S3", "AWS Backup"],
            })),
        ),
        row(
            4,
            "Crashes are tracked in Sentry, and their data is kept until the issue is resolved.",
            noted.crashes(facts),
        ),
        row(
            5,
            "A full backup every day from 6 pm, which is verified; a copy of all databases.",
            noted.backup(),
        ),
        row(
            6,
            "A separate point-in-time backup of the whole database.",
            noted.checks("recovery of "),
        ),
        row(7, "All versions of appendices are saved.", noted.checks("versions of ")),
        row(
            8,
            "Backups are saved at three geographically isolated locations.",
            noted.checks_of(&["zones of ", "lock of ", "copy of "]),
        ),
        row(9, "All data is in Frankfurt, Germany.", noted.region(facts)),
        row(
            10,
            "What a customer has erased is not restored; a restore only keeps the system running.",
            noted.erasures(),
        ),
        row(
            11,
            "The newest Chrome and Edge, with cookies; the requirements say when they changed.",
            nobody_looks(value!(REQUIREMENTS)),
        ),
        row(
            12,
            "Passwords cannot be read, by our employees neither.",
            nobody_looks(value!({
                "hash": "argon2id",
                "memory_kib": passwords::MEMORY_KIB,
                "passes": passwords::PASSES,
                "lanes": passwords::LANES,
                "bound_to": "a key outside of the database",
            })),
        ),
        row(
            13,
            "All traffic is encrypted with https.",
            nobody_looks(value!({ "tls": "1.2 or newer", "strict_transport_security": true })),
        ),
    ]
}

/// It is so by how the service is made, and nothing looks whether it still is.
fn nobody_looks(evidence: Value) -> (State, Value) {
    (State::Unknown, evidence)
}

impl Noted {
    /// What the audit has found of all that is called so.
    fn checks(&self, prefix: &str) -> (State, Value) {
        self.checks_of(&[prefix])
    }

    fn checks_of(&self, prefixes: &[&str]) -> (State, Value) {
        let Some((at, audit)) = &self.audit else { return (State::Unknown, Value::Null) };
        let named = |(name, _): &(&String, &Check)| prefixes.iter().any(|it| name.starts_with(it));
        let found: BTreeMap<&String, &Check> = audit.checks.iter().filter(named).collect();
        let state = if self.now.since(*at) > AUDITED_WITHIN || found.is_empty() {
            State::Unknown
        } else if found.values().all(|check| check.holds) {
            State::Kept
        } else {
            State::Broken
        };
        (state, value!(found))
    }

    /// To which moments the service was restored; why is nobody's business, and one that goes on neither.
    fn restores(&self) -> Vec<Value> {
        let done = self.restores.iter().filter(|it| it.state == RestoreState::Done);
        done.map(|it| value!({ "to": it.to })).collect()
    }

    /// Whether each evening has what the evenings before had, and since when. Strangers learn nothing of
    /// what is gone, nor of how much there is.
    fn chain(&self) -> (State, Value) {
        let Some(chain) = &self.chain else { return (State::Unknown, Value::Null) };
        let holds = chain.holds && self.in_use_is_whole;
        let state = if holds { State::Kept } else { State::Broken };
        (state, value!({ "holds": holds, "since": chain.since }))
    }

    fn data(&self) -> (State, Value) {
        let ((protected, mut evidence), (chain, held)) =
            (self.checks("protection of "), self.chain());
        if !evidence.is_null() {
            evidence["chain of evenings"] = held;
        }
        (protected.and(chain), evidence)
    }

    fn backup(&self) -> (State, Value) {
        let Some(backup) = &self.backup else {
            return (self.chain().0.and(State::Unknown), Value::Null);
        };
        let fresh = self.now.since(backup.verified_at) <= VERIFIED_WITHIN;
        let (chain, held) = self.chain();
        // How much there is, strangers do not learn.
        let VerifiedBackup { run, cut, verified_at, digest, checked, .. } = backup;
        let checked: Vec<&String> = checked.keys().collect();
        let evidence = value!({
            "run": run,
            "cut": cut,
            "verified_at": verified_at,
            "digest": digest,
            "checked": checked,
            "chain": held,
        });
        let weekly = self.checks(WEEKLY_RESTORE).0 != State::Broken;
        // A backup of the release before is verified, and had no chain.
        let chain = if self.chain.is_some() { chain } else { State::Kept };
        (if fresh && weekly { State::Kept.and(chain) } else { State::Broken }, evidence)
    }

    fn erasures(&self) -> (State, Value) {
        let held = self.chain.as_ref().is_none_or(Chain::erasures_hold);
        let state = if held { State::Kept } else { State::Broken };
        (state, value!({ "restores": self.restores() }))
    }

    fn crashes(&self, facts: &Facts) -> (State, Value) {
        let to_sentry = |reported| if reported { "to Sentry" } else { "nowhere" };
        let evidence = value!({
            "of_the_system": to_sentry(facts.crashes_are_reported),
            "of_devices": to_sentry(facts.devices_report_crashes),
            "data": self.crashes,
        });
        if !facts.crashes_are_reported && !facts.devices_report_crashes {
            return (State::Unknown, evidence);
        }
        let state = match &self.crashes {
            None => State::Unknown,
            Some(data) if !data.configured || data.is_overdue(self.now) => State::Broken,
            Some(CrashData { asked_at: Some(at), .. }) if self.now.since(*at) <= DELETED_WITHIN => {
                State::Kept
            }
            Some(_) => State::Unknown,
        };
        (state, evidence)
    }

    fn region(&self, facts: &Facts) -> (State, Value) {
        let (state, mut evidence) = self.checks("region of ");
        evidence["functions"] =
            value!({ "holds": facts.region == "eu-central-1", "found": facts.region });
        (if facts.region == "eu-central-1" { state } else { State::Broken }, evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(now_ms: i64) -> Noted {
        let mut audit = Audit::default();
        audit.note("protection of records", true, "protected");
        audit.note("recovery of records", false, "off");
        let at = Timestamp::from_millis(0);
        let now = Timestamp::from_millis(now_ms);
        Noted {
            audit: Some((at, audit)),
            backup: None,
            chain: None,
            in_use_is_whole: true,
            crashes: None,
            restores: Vec::new(),
            now,
        }
    }

    #[test]
    fn a_promise_stands_as_the_last_look_at_it_says() {
        let fresh = noted(1);
        assert_eq!(fresh.checks("protection of ").0, State::Kept);
        assert_eq!(fresh.checks("recovery of ").0, State::Broken);
        assert_eq!(fresh.checks("nothing of ").0, State::Unknown);
        assert_eq!(fresh.backup().0, State::Unknown);
        let stale = noted(i64::try_from(AUDITED_WITHIN.as_millis()).unwrap() + 1);
        assert_eq!(stale.checks("protection of ").0, State::Unknown, "nobody has looked lately");
    }

    #[test]
    fn every_promise_of_the_policy_has_its_row() {
        let facts = Facts {
            crashes_are_reported: true,
            devices_report_crashes: true,
            region: "eu-central-1".to_owned(),
        };
        let rows: Vec<u32> = rows(&noted(1), &facts).iter().map(|row| row.row).collect();
        assert_eq!(rows, (1..=13).collect::<Vec<_>>());
    }
}
