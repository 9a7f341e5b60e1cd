//! Crashes of functions, as Sentry gets them. This program is both sides: started as Lambda starts a
//! function it is one that fails, and else it runs that behind the local cloud, with a collector in
//! Sentry's place.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use am_http::{Problem, Request, Response, StatusCode, empty};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use local::{Cloud, Options};
use runtime::HttpFunction;
use serde_json::Value;
use tokio::net::TcpListener;

fn main() -> ExitCode {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        return runtime::http(HttpFunction {
            build: |_| Ok(()),
            handle: |(), request| Box::pin(fail(request)),
        });
    }
    let executor = tokio::runtime::Runtime::new().unwrap();
    executor.block_on(a_panic_arrives_before_its_answer_and_the_process_lives_on());
    executor.block_on(the_cause_of_a_5xx_arrives_and_no_other_problem_does());
    executor.block_on(nobody_waits_for_a_collector_that_is_gone());
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

/// What the collector has got: the path, the authentication and the body of each request.
type Collected = Arc<Mutex<Vec<(String, String, String)>>>;

struct Stage {
    cloud: Cloud,
    collected: Collected,
    _folder: tempfile::TempDir,
}

impl Stage {
    async fn new(dsn: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binaries = folder.path().join("binaries");
        std::fs::create_dir(&binaries).unwrap();
        let function = binaries.join("get-record");
        std::os::unix::fs::symlink(std::env::current_exe().unwrap(), function).unwrap();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (collector, collected) = collector().await;
        let dsn = dsn.replace("COLLECTOR", &collector.to_string());
        let options = Options {
            template: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("template.yaml"),
            parameters: BTreeMap::from([("SentryDsn".to_owned(), dsn)]),
            data: folder.path().join("data"),
            address: any,
            objects_address: any,
            binaries: Some(binaries),
        };
        let cloud = Cloud::start(&options).await.unwrap();
        Self { cloud, collected, _folder: folder }
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
        let collected = self.collected.lock().unwrap();
        let [(path, authentication, envelope)] = collected.as_slice() else {
            panic!("one envelope: {collected:?}");
        };
        assert_eq!(path, "/api/42/envelope/");
        assert!(authentication.contains("sentry_key=public"), "{authentication}");
        let mut lines = envelope.lines();
        let header: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        let item: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        let event: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        assert_eq!(item["type"], "event");
        let id = header["event_id"].as_str().unwrap().replace('-', "");
        assert_eq!(event["event_id"], id);
        (event, envelope.clone())
    }
}

const DSN: &str = "http://public@COLLECTOR/42";

async fn a_panic_arrives_before_its_answer_and_the_process_lives_on() {
    let stage = Stage::new(DSN).await;
    let (status, body) = stage.ask("panic").await;
    assert_eq!((status, &body["code"]), (500, &Value::from("internal_error")));

    let (event, envelope) = stage.only_event();
    assert_eq!(event["tags"]["request_id"], body["request_id"]);
    assert_eq!(event["tags"]["route"], "GET /v1/records/{record_id}");
    assert_eq!(event["transaction"], "GetRecord");
    assert_eq!(event["release"], concat!("am-service@", env!("CARGO_PKG_VERSION")));
    let exception = &event["exception"]["values"][0];
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
    let stage = Stage::new(DSN).await;
    assert_eq!(stage.ask("refused").await.0, 404);
    assert_eq!(stage.ask("nothing").await.0, 204);
    assert!(stage.collected.lock().unwrap().is_empty());
    assert_eq!(stage.ask("cause").await.0, 500);
    let (event, _) = stage.only_event();
    let exception = &event["exception"]["values"][0];
    assert_eq!(exception["value"], "the token [token] was refused");
    assert!(exception["stacktrace"].is_null());
    assert_eq!(event["tags"]["code"], "internal_error");
}

async fn nobody_waits_for_a_collector_that_is_gone() {
    // Nothing listens at the discard port.
    let stage = Stage::new("http://public@127.0.0.1:9/42").await;
    assert_eq!(stage.ask("panic").await.0, 500);
    assert_eq!(stage.ask("nothing").await.0, 204);
}

/// A server in Sentry's place, on loopback.
async fn collector() -> (SocketAddr, Collected) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let collected = Collected::default();
    let keep = collected.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let keep = keep.clone();
            let serve = service_fn(move |request| collect(keep.clone(), request));
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(http.serve_connection(TokioIo::new(stream), serve));
        }
    });
    (address, collected)
}

async fn collect(
    keep: Collected,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let path = Path::new(request.uri().path()).to_string_lossy().into_owned();
    let authentication = request.headers()["x-sentry-auth"].to_str().unwrap().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    keep.lock().unwrap().push((path, authentication, body));
    Ok(hyper::Response::new(Full::default()))
}
