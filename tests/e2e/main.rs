//! The built binaries, each a process behind Lambda's Runtime API, in front of them API Gateway's
//! shape and behind them the embedded stores: what `sam deploy` would run, on this machine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod permissions;
#[expect(dead_code, reason = "the stage is set for the tests in process, which use all of it")]
#[path = "../it/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use local::{Cloud, Options};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use sha2::Digest as _;

/// Where cargo has put them.
fn binaries() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_get-record")).parent().unwrap().to_owned()
}

/// A running cloud of binaries, and a person at its door.
struct Service {
    cloud: Cloud,
    http: Client,
    token: String,
    keys: u32,
    _folder: tempfile::TempDir,
}

impl Service {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let options = Options {
            template: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("template.yaml"),
            data: folder.path().to_owned(),
            address: any,
            objects_address: any,
            parameters: BTreeMap::new(),
            binaries: Some(binaries()),
        };
        let cloud = Cloud::start(&options).await.unwrap();
        let (http, token) = (Client::new(), String::new());
        Self { cloud, http, token, keys: 0, _folder: folder }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.cloud.address())
    }

    async fn post(&mut self, path: &str, body: Value) -> Value {
        self.keys += 1;
        let request = self
            .http
            .post(self.url(path))
            .bearer_auth(&self.token)
            .header("idempotency-key", format!("key-{}", self.keys))
            .json(&body);
        expect(request.send().await.unwrap(), StatusCode::CREATED).await
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.http.get(self.url(path)).bearer_auth(&self.token);
        expect(request.send().await.unwrap(), StatusCode::OK).await
    }

    async fn upload(&self, reserved: &Value, bytes: &[u8]) {
        let mut request = self.http.put(text(&reserved["upload"]["url"])).body(bytes.to_vec());
        for (name, value) in reserved["upload"]["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
        self.cloud.settle().await;
    }

    async fn download(&self, path: &str) -> Vec<u8> {
        let link = self.get(path).await;
        let answer = self.http.get(text(&link["download"]["url"])).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.bytes().await.unwrap().to_vec()
    }
}

async fn expect(answer: Response, status: StatusCode) -> Value {
    let found = answer.status();
    let text = answer.text().await.unwrap();
    assert_eq!(found, status, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn declaration(bytes: &[u8]) -> Value {
    let sha256: String =
        sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"content_type": "image/png", "bytes": bytes.len(), "sha256": sha256})
}

#[tokio::test(flavor = "multi_thread")]
async fn from_sign_up_to_both_versions_of_an_appendix() {
    let mut service = Service::start().await;
    let person = json!({
        "company": "Verkstad AB", "name": "Eva Ek",
        "email": "eva@example.com", "password": "two lathes and a mill",
    });
    service.post("/v1/customers", person).await;
    let log_in = json!({"email": "eva@example.com", "password": "two lathes and a mill"});
    service.token = text(&service.post("/v1/sessions", log_in).await["token"]).to_owned();
    assert_eq!(service.get("/v1/session").await["user"]["name"], "Eva Ek");

    let content = json!({"type": "inspection", "title": "Pump 3", "fields": {"bar": 4.5}});
    let record = service.post("/v1/records", content).await;
    let path = format!("/v1/records/{}", text(&record["id"]));
    let (first, second) = (b"the first photo".as_slice(), b"a better photo".as_slice());

    let mut body = declaration(first);
    body["name"] = json!("pump.png");
    let reserved = service.post(&format!("{path}/appendices"), body).await;
    let appendix = format!("{path}/appendices/{}", text(&reserved["id"]));
    service.upload(&reserved, first).await;
    let reserved = service.post(&format!("{appendix}/versions"), declaration(second)).await;
    service.upload(&reserved, second).await;

    assert_eq!(service.download(&format!("{appendix}?version=1")).await, first);
    assert_eq!(service.download(&appendix).await, second);
    let list = service.get(&format!("{path}/appendices")).await;
    let states = list["appendices"][0]["versions"].as_array().unwrap();
    assert!(states.len() == 2 && states.iter().all(|version| version["state"] == "stored"));

    let update = |tag: &'static str, title: &str| {
        let body = json!({"type": "inspection", "title": title});
        let request = service.http.put(service.url(&path)).bearer_auth(&service.token);
        request.header("if-match", tag).json(&body).send()
    };
    assert_eq!(update("\"1\"", "Pump 3, repaired").await.unwrap().status(), StatusCode::OK);
    let stale = update("\"1\"", "Pump 3, lost").await.unwrap();
    assert_eq!(stale.status(), StatusCode::PRECONDITION_FAILED);
    assert_eq!(service.get("/v1/records").await["records"][0]["title"], "Pump 3, repaired");
    assert_eq!(service.get(&format!("{path}/revisions")).await["revisions"][1]["version"], 1);

    for (path, tag) in [(&appendix, "\"2\""), (&path, "\"2\"")] {
        let request = service.http.delete(service.url(path)).bearer_auth(&service.token);
        let answer = request.header("if-match", tag).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    }
    let out = service.http.delete(service.url("/v1/session")).bearer_auth(&service.token);
    assert_eq!(out.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    let after = service.http.get(service.url("/v1/session")).bearer_auth(&service.token);
    assert_eq!(after.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_none_fails_and_the_process_takes_the_next_one() {
    let service = Service::start().await;
    let error = service.cloud.invoke("get-record", json!({"x": 1})).await.unwrap_err();
    assert!(error.to_string().contains("JSON payload"), "{error}");
    let answer = service.http.get(service.url("/v1/records/x")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[test]
fn a_function_without_its_configuration_names_what_is_missing() {
    let started = std::process::Command::new(env!("CARGO_BIN_EXE_create-session"))
        .env_clear()
        .env("RECORDS_TABLE", "records")
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&started.stdout);
    assert!(!started.status.success());
    assert!(log.contains("the environment variable ACCOUNTS_TABLE is not set"), "{log}");
}
