//! Crashes of devices on their way to Sentry, and out of it. A collector stands in Sentry's place.

use std::io::Write as _;
use std::time::Duration;

use am_service::crashes::{report, settle};
use flate2::Compression;
use flate2::write::GzEncoder;
use runtime::{Env, OperatorEnv};
use serde_json::{Value, json};

use testing::collector::{Collector, Manner};
use testing::operator;
use testing::world::{Answer, Call, Person, World};

/// The secret that somebody has made for the stack, and the local cloud has filled with random texts.
pub const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:sentry";
/// The issue of events/crashes/receive_hook, and what it is called by.
pub const ISSUE: &str = "1170820242";
pub const ERROR: (&str, &str) = ("TypeError", "no record of [email]");
pub const HOUR: Duration = Duration::from_secs(60 * 60);

pub struct Stage {
    pub world: World,
    pub collector: Collector,
    pub client_secret: String,
}

impl Stage {
    pub async fn new() -> Self {
        let collector = Collector::start().await;
        let parameters =
            [("DeviceSentryDsns", collector.dsn()), ("SentrySecret", SECRET.to_owned())];
        let given: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let world = World::new().await.restarted(&given).await;
        let secrets = std::fs::read(world.folder().join("secrets.json")).unwrap();
        let secrets: Value = serde_json::from_slice(&secrets).unwrap();
        let secret =
            |name: &str| secrets[format!("{SECRET}:SecretString:{name}")].as_str().unwrap().into();
        collector.state().token = secret("token");
        collector.state().organization = secret("organization");
        Self { world, collector, client_secret: secret("client_secret") }
    }

    /// A crash of events/, for the collector's project.
    pub fn crash(&self, case: &str) -> Call {
        let event = Call::to(&format!("POST /v1/crashes {case}"));
        let body = event.json["body"].as_str().unwrap();
        let body = body.replace("https://public@o1.ingest.de.sentry.io/42", &self.collector.dsn());
        event.raw_body(&body)
    }

    /// The envelope of `events/crashes/report/ok.json`.
    pub fn envelope(&self) -> String {
        self.crash("ok").json["body"].as_str().unwrap().to_owned()
    }

    /// Sends bytes over HTTP, as an SDK would.
    pub async fn post(&self, body: impl Into<Vec<u8>>, encoding: Option<&str>) -> (u16, Value) {
        let url = format!("http://{}/v1/crashes", self.world.cloud.address());
        let mut request = reqwest::Client::new().post(url).body(body.into());
        request = request.header("content-type", "application/x-sentry-envelope");
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    /// A webhook with another body, signed as Sentry signs.
    pub fn hook(&self, body: &str) -> Call {
        Call::to("POST /v1/sentry-hooks").signed(body, &self.client_secret)
    }

    /// The webhook that says that the issue is resolved.
    pub async fn resolve(&self) -> Answer {
        let event = Call::to("POST /v1/sentry-hooks");
        let body = event.json["body"].as_str().unwrap().to_owned();
        self.world.send(self.hook(&body).later(runtime::now())).await
    }

    pub async fn settle(&self) -> Value {
        self.world.cloud.invoke("settle-crashes", json!({})).await.unwrap()
    }

    /// What the ledger has of the issue.
    pub async fn deletion(&self) -> Option<Value> {
        let row = format!("DELETED#{ISSUE}");
        operator::ledger_row(&self.world.cloud, "ISSUES", &row).await
    }

    /// Row 4 of the policy, some time from now.
    pub async fn row(&self, later: Duration) -> Value {
        let event = Call::to("GET /v1/policy").later(runtime::now().after(later));
        self.world.send(event).await.body()["rows"][3].clone()
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packing = GzEncoder::new(Vec::new(), Compression::fast());
    packing.write_all(text.as_bytes()).unwrap();
    packing.finish().unwrap()
}

fn code((status, body): &(u16, Value)) -> (u16, &str) {
    (*status, body["code"].as_str().unwrap_or(""))
}

#[tokio::test]
async fn a_crash_reaches_sentry_without_what_is_personal() {
    let stage = Stage::new().await;
    let answer = stage.world.send(stage.crash("ok")).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    let id = "9ec79c33ec9942ab8353589fcb2e04dc";
    let taken = json!({"id": id, "state": "sent", "left_out": ["attachment"]});
    assert_eq!(answer.body(), taken);
    assert_eq!(answer.header("x-sentry-rate-limits"), "60:transaction:key");

    let collected = stage.collector.only();
    assert_eq!(collected.path, "/api/42/envelope/");
    assert!(collected.authentication.contains("sentry_key=public"));
    assert_eq!(collected.headers()["event_id"], id);
    let event = collected.event();
    assert_eq!(event["exception"]["values"][0]["value"], "no record of [email]");
    assert_eq!(event["exception"]["values"][0]["stacktrace"]["frames"][0]["lineno"], 12);
    assert_eq!((&event["release"], &event["event_id"]), (&json!("app@1.0.0"), &json!(id)));
    assert!(!collected.envelope.to_lowercase().contains("eva"), "{}", collected.envelope);
}

#[tokio::test]
async fn it_may_be_packed_and_come_with_a_session_or_a_wrong_one() {
    let stage = Stage::new().await;
    let packed = gzip(&stage.envelope());
    assert_eq!(stage.post(packed, Some("gzip")).await.0, 200);
    let other = stage.envelope().replace("9ec79c33", "00000001");
    let with_session = stage.crash("ok").raw_body(&other).by(Person::A);
    assert_eq!(stage.world.send(with_session).await.status(), 200);
    let other = stage.envelope().replace("9ec79c33", "00000002");
    let spoilt = stage.crash("ok").raw_body(&other).header("authorization", "Bearer nonsense");
    assert_eq!(stage.world.send(spoilt).await.status(), 200);
    let session = stage.world.send(stage.crash("session")).await;
    assert_eq!(session.body(), json!({"state": "sent", "left_out": []}));
    let envelopes = stage.collector.state().envelopes.clone();
    assert_eq!(envelopes.len(), 4);
    let (kind, session) = envelopes[3].items().remove(0);
    assert_eq!((kind.as_str(), &session["status"]), ("session", &json!("crashed")));
    assert!(session["did"].is_null() && session["attrs"]["ip_address"].is_null(), "{session}");
}

#[tokio::test]
async fn what_is_not_for_sentry_is_dropped_and_named() {
    let stage = Stage::new().await;
    let headers = format!("{{\"dsn\":\"{}\"}}", stage.collector.dsn());
    let body = format!(
        "{headers}\n{{\"type\":\"replay_video\",\"length\":2}}\nxx\n{{\"type\":\"user_report\"}}\n{{}}\n"
    );
    let answer = stage.post(body, None).await;
    let left_out = json!({"state": "dropped", "left_out": ["replay_video", "user_report"]});
    assert_eq!(answer, (200, left_out));
    assert!(stage.collector.state().envelopes.is_empty());
}

#[tokio::test]
async fn what_may_not_be_sent_is_refused_and_nothing_is_forwarded() {
    let stage = Stage::new().await;
    let good = stage.envelope();
    let dsn = stage.collector.dsn();
    let large = format!(
        "{{\"dsn\":\"{dsn}\"}}\n{{\"type\":\"event\"}}\n{{\"a\":\"{}\"}}",
        "a".repeat(1024 * 1024)
    );
    let bomb = gzip(&" ".repeat(21 * 1024 * 1024));
    let other_key = good.replace("public@", "other@");
    let other_host = good.replace(&dsn, "https://public@sentry.example.com/42");
    let no_dsn = good.replace("\"dsn\":", "\"x\":");
    let bad_id = good.replacen("9ec79c33ec99", "../../../../", 1);
    let many = format!("{{\"dsn\":\"{dsn}\"}}\n{}", "{\"type\":\"x\"}\n\n".repeat(101));
    for (body, encoding, refused) in [
        (other_key.into_bytes(), None, (403, "unknown_dsn")),
        (other_host.into_bytes(), None, (403, "unknown_dsn")),
        (no_dsn.into_bytes(), None, (400, "malformed_envelope")),
        (bad_id.into_bytes(), None, (400, "malformed_envelope")),
        (Vec::new(), None, (400, "malformed_envelope")),
        (b"\xff\xfe\n".to_vec(), None, (400, "malformed_envelope")),
        (good[..good.len() - 10].into(), None, (400, "malformed_envelope")),
        (good.clone().into_bytes(), Some("gzip"), (400, "malformed_encoding")),
        (gzip(&good)[..100].into(), Some("gzip"), (400, "malformed_encoding")),
        (good.clone().into_bytes(), Some("br"), (400, "malformed_encoding")),
        (good.clone().into_bytes(), Some("zstd"), (415, "unsupported_encoding")),
        (large.into_bytes(), None, (413, "envelope_too_large")),
        (many.into_bytes(), None, (413, "envelope_too_large")),
        (bomb, Some("gzip"), (413, "body_too_large")),
        // Larger than Lambda takes: API Gateway's own answer, which has no code.
        (vec![b' '; 7 * 1024 * 1024], None, (413, "")),
    ] {
        let answer = stage.post(body, encoding).await;
        assert_eq!(code(&answer), refused, "{answer:?}");
    }
    assert!(stage.collector.state().envelopes.is_empty());
    // None of that was taken for the crash itself.
    assert_eq!(stage.post(good, None).await.0, 200);
}

#[tokio::test]
async fn the_same_crash_is_taken_once() {
    let stage = Stage::new().await;
    for name in ["ok", "session"] {
        assert_eq!(stage.world.send(stage.crash(name)).await.status(), 200);
        let again = stage.world.send(stage.crash(name)).await;
        assert_eq!(again.problem(), (409, "replayed".into(), String::new()));
    }
    // Not even when it says that it was sent later.
    let later = stage.envelope().replace("T08:00:00.000Z", "T09:00:00.000Z");
    assert_eq!(code(&stage.post(later, None).await), (409, "replayed"));
    assert_eq!(stage.collector.state().envelopes.len(), 2);
}

#[tokio::test]
async fn too_many_is_passed_on_and_the_crash_may_come_again() {
    let stage = Stage::new().await;
    stage.collector.state().manner = Manner::TooMany(30);
    let answer = stage.world.send(stage.crash("ok")).await;
    assert_eq!(answer.problem(), (429, "sentry_rate_limit".into(), String::new()));
    assert_eq!(answer.header("retry-after"), "30");
    assert_eq!(answer.header("x-sentry-rate-limits"), "60:error:key");
    stage.collector.state().manner = Manner::Answers(400);
    let answer = stage.world.send(stage.crash("ok")).await;
    assert_eq!(answer.problem(), (422, "refused_by_sentry".into(), String::new()));
    stage.collector.state().manner = Manner::Takes;
    assert_eq!(stage.world.send(stage.crash("ok")).await.status(), 200);
}

#[tokio::test]
async fn a_source_that_sends_without_end_is_told_to_wait() {
    let stage = Stage::new().await;
    // Counted by the store: a thousand requests would take a while.
    let (store, now) = (&stage.world.store, stage.world.now);
    for _ in 0..1_000 {
        let attempt = store.attempt_crash("2001:db8:1:2::", now).await.unwrap();
        assert!(attempt.refused_for(now).is_none());
    }
    // From the same network, as far as anybody can tell.
    let refused = stage.world.send(stage.crash("ok").source("2001:db8:1:2::8")).await;
    assert_eq!(refused.problem(), (429, "too_many_attempts".into(), String::new()));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=900).contains(&wait), "{wait}");
    assert_eq!(stage.world.send(stage.crash("ok")).await.status(), 200, "others are not told");
    // Who logs in is counted elsewhere.
    let log_in = Call::to("POST /v1/sessions").source("2001:db8:1:2::7");
    assert_eq!(stage.world.send(log_in).await.status(), 201);
}

#[tokio::test]
async fn an_sdk_that_takes_us_for_sentry_is_served_alike() {
    let stage = Stage::new().await;
    let envelope = |n: u32| {
        let own = "https://public@api.example.com/v1/crashes/42";
        let body = stage.envelope().replace(&stage.collector.dsn(), own);
        body.replace("9ec79c33", &format!("0000000{n}"))
    };
    let base = format!("http://{}/v1/crashes", stage.world.cloud.address());
    let auth = "Sentry sentry_version=7, sentry_client=sentry.cocoa/8.0.0, sentry_key=public";
    for (n, path, auth, status) in [
        (1, "/api/42/envelope/", auth, 200),
        (2, "/api/42/envelope", auth, 200),
        (3, "/api/42/envelope/?sentry_version=7&sentry_key=public", "", 200),
        (4, "/api/42/envelope/", "", 403),
        (4, "/api/42/envelope/", "Sentry sentry_key=other", 403),
        (4, "/api/43/envelope/", auth, 403),
        (4, "/api/42/store/", auth, 404),
        (4, "/envelope/", auth, 404),
        // As without the slash: it names no DSN.
        (4, "/", auth, 403),
    ] {
        let request = reqwest::Client::new().post(format!("{base}{path}")).body(envelope(n));
        let answer = request.header("x-sentry-auth", auth).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path} {auth}");
    }
    let envelopes = stage.collector.state().envelopes.clone();
    assert_eq!(envelopes.len(), 3);
    for collected in envelopes {
        assert_eq!(collected.headers()["dsn"], stage.collector.dsn(), "where it went");
        assert_eq!(collected.path, "/api/42/envelope/");
    }
}

#[tokio::test]
async fn a_crash_is_kept_while_sentry_is_down_and_sent_when_it_is_back() {
    for down in [Manner::Silent, Manner::Answers(503)] {
        let stage = Stage::new().await;
        stage.collector.state().manner = down;
        let answer = stage.world.send(stage.crash("ok")).await;
        assert_eq!(answer.status(), 202, "{answer:?}");
        assert_eq!(answer.body()["state"], "kept");
        let kept = operator::crashes(&stage.world.cloud).await;
        let [(key, envelope)] = kept.as_slice() else { panic!("{kept:?}") };
        assert_eq!(key, "42/9ec79c33ec9942ab8353589fcb2e04dc");
        assert!(!String::from_utf8_lossy(envelope).to_lowercase().contains("eva"));
        assert_eq!(stage.world.send(stage.crash("ok")).await.code(), "replayed");

        let outcome = stage.settle().await;
        assert_eq!((&outcome["waiting"], &outcome["sent"]), (&json!(1), &json!(0)));
        stage.collector.state().manner = Manner::Takes;
        stage.collector.state().envelopes.clear();
        let outcome = stage.settle().await;
        assert_eq!((&outcome["waiting"], &outcome["sent"]), (&json!(0), &json!(1)));
        assert_eq!(stage.collector.only().envelope.into_bytes(), *envelope);
        assert!(operator::crashes(&stage.world.cloud).await.is_empty());
        assert_eq!(stage.settle().await["sent"], 0);
    }
}

#[tokio::test]
async fn a_crash_is_not_kept_for_ever() {
    let stage = Stage::new().await;
    stage.collector.state().manner = Manner::Answers(503);
    stage.world.send(stage.crash("ok")).await;
    let environment = stage.world.cloud.operator_environment().clone();
    let lookup = |name: &str| environment.get(name).cloned();
    let context = (settle::FUNCTION.build)(&OperatorEnv::new(Env::new(&lookup))).unwrap();
    let (days, now) = (24 * HOUR, runtime::now());
    let early = settle::handle(&context, now.after(6 * days)).await.unwrap();
    assert_eq!((early.waiting, early.given_up), (1, 0));
    let late = settle::handle(&context, now.after(8 * days)).await.unwrap();
    assert_eq!((late.waiting, late.given_up), (0, 1));
    assert!(operator::crashes(&stage.world.cloud).await.is_empty());
}

#[tokio::test]
async fn without_dsns_no_crash_is_taken() {
    let world = World::new().await;
    let answer = world.ask("POST /v1/crashes").await;
    assert_eq!(answer.problem(), (403, "unknown_dsn".into(), String::new()));
    let lookup = |name: &str| (name == "DEVICE_SENTRY_DSNS").then(|| "nonsense".to_owned());
    let built = (report::FUNCTION.build)(&Env::new(&lookup));
    assert!(built.is_err());
}
