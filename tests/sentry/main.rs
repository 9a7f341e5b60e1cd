//! Crashes of functions, as Sentry gets them. This program is both sides: started as Lambda starts a
//! function it is one that fails, and else it runs that behind the local cloud, with a collector in
//! Sentry's place.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use am_http::{
    Answer, Declaration, Handle, Problem, Request, RequestBody, Response, Route, StatusCode, empty,
};
use local::{Cloud, Options};
use runtime::{EventError, EventFunction, HttpFunction};
use serde::Deserialize;
use serde_json::{Value, json};
use testing::collector::{Collector, Manner};

const FAILING: HttpFunction<()> = HttpFunction {
    declaration: Declaration {
        name: "get-record",
        routes: &[Route::get("/v1/records/{record_id}")],
        summary: "Fails",
        parameters: &[],
        body: RequestBody::None,
        answers: &[Answer::empty(StatusCode::NO_CONTENT, "Done.")],
        problems: &[],
    },
    build: |_| Ok(()),
    handle: Handle::Anyone(|(), request| Box::pin(fail(request))),
};

fn main() -> ExitCode {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        return match std::env::var("AWS_LAMBDA_FUNCTION_NAME").as_deref() {
            Ok("StoreAppendix") => runtime::event(EventFunction {
                name: "store-appendix",
                build: |_| Ok(()),
                handle: |(), event| Box::pin(fail_event(event)),
            }),
            _ => runtime::http(FAILING),
        };
    }
    let executor = tokio::runtime::Runtime::new().unwrap();
    executor.block_on(a_panic_arrives_before_its_answer_and_the_process_lives_on());
    executor.block_on(the_cause_of_a_5xx_arrives_and_no_other_problem_does());
    executor.block_on(a_failed_event_arrives_once_and_without_what_the_store_said());
    executor.block_on(too_many_is_kept_to());
    executor.block_on(nobody_waits_for_a_collector_that_is_gone_or_silent());
    println!("crashes reach Sentry: ok");
    ExitCode::SUCCESS
}

/// Fails in the way that the path asks for.
async fn fail(request: &Request) -> Result<Response, Problem> {
    let way: String = request.path("record_id")?;
    match way.as_str() {
        "panic" => panic!("no login for eva@example.com from 192.0.2.7:4711"),
        "cause" => Err(Problem::internal("the token am1_secret was refused")),
        "refused" => Err(Problem::not_found()),
        _ => Ok(empty(StatusCode::NO_CONTENT)),
    }
}

/// An error that shows more of itself than it says, like those of an SDK.
#[derive(Debug)]
struct Refused {
    _raw: &'static str,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the store refused")
    }
}

impl std::error::Error for Refused {}

#[derive(Deserialize)]
struct Asked {
    way: String,
}

async fn fail_event(asked: Asked) -> Result<Value, EventError> {
    match asked.way.as_str() {
        "panic" => panic!("no such way"),
        "error" => Err(Refused { _raw: "a record of a customer's" }.into()),
        _ => Ok(Value::Null),
    }
}

struct Stage {
    cloud: Cloud,
    collector: Collector,
    _folder: tempfile::TempDir,
}

impl Stage {
    async fn new(manner: Manner) -> Self {
        let collector = Collector::start().await;
        collector.state().manner = manner;
        Self::with(&collector.dsn(), collector).await
    }

    async fn with(dsn: &str, collector: Collector) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binaries = folder.path().join("binaries");
        std::fs::create_dir(&binaries).unwrap();
        for function in ["get-record", "store-appendix"] {
            let this = std::env::current_exe().unwrap();
            std::os::unix::fs::symlink(this, binaries.join(function)).unwrap();
        }
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let options = Options {
            binaries: Some(binaries),
            ..Options::new(repository, &folder.path().join("data")).with("SentryDsn", dsn)
        };
        let cloud = Cloud::start(&options).await.unwrap();
        Self { cloud, collector, _folder: folder }
    }

    /// Asks the function to fail in some way; the answer's status and body.
    async fn ask(&self, way: &str) -> (u16, Value) {
        let url = format!("http://{}/v1/records/{way}", self.cloud.address());
        let answer = reqwest::get(url).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// The only event collected until now, and the whole envelope that it came in.
    fn only_event(&self) -> (Value, String) {
        let collected = self.collector.only();
        assert_eq!(collected.path, "/api/42/envelope/");
        let authentication = &collected.authentication;
        assert!(authentication.contains("sentry_key=public"), "{authentication}");
        let event = collected.event();
        let id = collected.headers()["event_id"].as_str().unwrap().replace('-', "");
        assert_eq!(event["event_id"], id);
        (event, collected.envelope)
    }
}

async fn a_panic_arrives_before_its_answer_and_the_process_lives_on() {
    let stage = Stage::new(Manner::Takes).await;
    let (status, body) = stage.ask("panic").await;
    assert_eq!((status, &body["code"]), (500, &Value::from("internal_error")));

    let (event, envelope) = stage.only_event();
    assert_eq!(event["tags"]["request_id"], body["request_id"]);
    assert_eq!(event["tags"]["route"], "GET /v1/records/{record_id}");
    assert_eq!(event["transaction"], "GetRecord");
    assert_eq!(event["release"], concat!("am-service@", env!("CARGO_PKG_VERSION")));
    let exceptions = event["exception"]["values"].as_array().unwrap();
    let [failed, exception] = exceptions.as_slice() else { panic!("{exceptions:?}") };
    assert_eq!(failed["value"], "the handler panicked");
    assert_eq!(exception["type"], "panic");
    let told = exception["value"].as_str().unwrap();
    assert!(
        told.starts_with("no login for [email] from [address] (tests/sentry/main.rs:"),
        "{told}"
    );
    for personal in ["eva@example.com", "192.0.2.7", "127.0.0.1"] {
        assert!(!envelope.contains(personal), "{personal}");
    }
    // Sentry finds the lines by the addresses, given the build that they are of.
    let frames = exception["stacktrace"]["frames"].as_array().unwrap();
    assert!(frames.len() > 5 && frames.iter().all(|frame| frame["instruction_addr"].is_string()));
    let image = &event["debug_meta"]["images"][0];
    assert!(image["id"].is_string() && image["image_addr"].is_string(), "{image}");

    assert_eq!(stage.ask("nothing").await.0, 204, "the same process takes the next event");
}

async fn the_cause_of_a_5xx_arrives_and_no_other_problem_does() {
    let stage = Stage::new(Manner::Takes).await;
    assert_eq!(stage.ask("refused").await.0, 404);
    assert_eq!(stage.ask("nothing").await.0, 204);
    assert!(stage.collector.state().envelopes.is_empty());
    assert_eq!(stage.ask("cause").await.0, 500);
    let (event, _) = stage.only_event();
    let exception = &event["exception"]["values"][0];
    assert_eq!(exception["value"], "the token [token] was refused");
    assert!(exception["stacktrace"].is_null());
    assert_eq!(event["tags"]["code"], "internal_error");
}

async fn a_failed_event_arrives_once_and_without_what_the_store_said() {
    for (way, said) in [
        (json!("error"), "the store refused"),
        (json!("panic"), "the handler panicked"),
        (json!(7), "way: invalid type: integer `7`, expected a string"),
    ] {
        let stage = Stage::new(Manner::Takes).await;
        let event = json!({ "way": way });
        let error = stage.cloud.invoke("store-appendix", event).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
        assert!(!error.contains("customer"), "{error}");
        let (event, envelope) = stage.only_event();
        assert_eq!(event["exception"]["values"][0]["value"], said);
        assert_eq!(event["transaction"], "StoreAppendix");
        assert!(!envelope.contains("customer"), "{envelope}");
        // Nothing of it is left for the next one.
        stage.cloud.invoke("store-appendix", json!({ "way": "none" })).await.unwrap();
        stage.only_event();
    }
}

async fn too_many_is_kept_to() {
    let stage = Stage::new(Manner::TooMany(u64::MAX)).await;
    for _ in 0..3 {
        assert_eq!(stage.ask("cause").await.0, 500);
    }
    stage.only_event();
}

async fn nobody_waits_for_a_collector_that_is_gone_or_silent() {
    // Nothing listens at the discard port.
    let gone = Stage::with("http://public@127.0.0.1:9/42", Collector::start().await).await;
    for stage in [gone, Stage::new(Manner::Silent).await] {
        let asked = std::time::Instant::now();
        assert_eq!(stage.ask("panic").await.0, 500);
        assert!(asked.elapsed() < Duration::from_secs(20), "the function's own timeout is 28 s");
        assert_eq!(stage.ask("nothing").await.0, 204);
    }
}
