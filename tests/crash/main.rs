//! The local cloud is killed in the middle of writes, again and again. Afterwards every write that was
//! acknowledged is there, and none is there by half or twice. `KILLS` says how often: a few times in CI, a hundred
//! for a release. `SEED` chooses the same moments again.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};

const IN_CI: u64 = 8;
const WRITERS: u64 = 4;
/// So many records are begun before a kill, at most, beside the first of each writer.
const BEGUN_MAX: u64 = 40;
/// A record takes some such time, with its change and its appendix.
const WRITE_TAKES_US: u64 = 60_000;

/// A running program, killed when dropped.
struct Program {
    process: Child,
    base: String,
}

impl Program {
    fn start(data: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_local"))
            .args(["--address", "127.0.0.1:0", "--objects-address", "127.0.0.1:0"])
            .args(["--log-level", "error"])
            .arg("--data")
            .arg(data)
            .arg("--template")
            .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = lines.next().expect("it says where it is").unwrap();
        let base = first.strip_prefix("AM Service is at ").unwrap().to_owned();
        // Whoever stops reading makes the writer fail.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, base }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[derive(Clone)]
struct Caller {
    http: Client,
    base: String,
    token: String,
}

impl Caller {
    /// The answer's status and body; `None` where the connection broke.
    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Option<(u16, Value)> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        request = request.bearer_auth(&self.token).timeout(Duration::from_secs(20));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        let text = answer.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send(Method::GET, path, &[], None).await.unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        body
    }
}

/// What was acknowledged: the highest version of each record, and each uploaded appendix's bytes.
#[derive(Default)]
struct Acknowledged {
    records: BTreeMap<String, u64>,
    uploads: BTreeMap<String, (String, Vec<u8>)>,
    /// Records whose creation nobody answered, by number: they may be there or not.
    unanswered: Vec<u64>,
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_write_survives_being_killed() {
    let folder = tempfile::tempdir().unwrap();
    let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
    let number = Arc::new(AtomicU64::new(0));
    let token = sign_up(&Program::start(folder.path()), folder.path()).await;
    let seed = variable("SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let kills = variable("KILLS").unwrap_or(IN_CI);
    for _ in 0..kills {
        let program = Program::start(folder.path());
        let caller =
            Caller { http: Client::new(), base: program.base.clone(), token: token.clone() };
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                tokio::spawn(write_until_killed(
                    caller.clone(),
                    acknowledged.clone(),
                    number.clone(),
                ))
            })
            .collect();
        // Anywhere in the work, which is under way once each writer has begun.
        let before = number.load(Ordering::Relaxed);
        let after = before + WRITERS + random.u64(0..BEGUN_MAX);
        while number.load(Ordering::Relaxed) < after {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_micros(random.u64(0..WRITE_TAKES_US))).await;
        drop(program);
        for writer in writers {
            writer.await.unwrap();
        }
    }
    let program = Program::start(folder.path());
    let caller = Caller { http: Client::new(), base: program.base.clone(), token };
    let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
    assert!(acknowledged.records.len() > 10 && !acknowledged.uploads.is_empty());
    // What nobody answered is asked for again, with its key: done once, before the kill or now.
    for n in &acknowledged.unanswered {
        let (status, body) = create(&caller, *n).await.unwrap();
        assert_eq!(status, 201, "{body}");
    }
    check_records(&caller, &acknowledged.records).await;
    check_uploads(&caller, &acknowledged.uploads).await;
    let Acknowledged { records, uploads, .. } = acknowledged;
    println!(
        "{kills} kills; {} records and {} uploads were acknowledged",
        records.len(),
        uploads.len()
    );
}

async fn sign_up(program: &Program, folder: &Path) -> String {
    let caller = Caller { http: Client::new(), base: program.base.clone(), token: String::new() };
    let key = [("idempotency-key", "k")];
    let token = testing::letters::sign_up_token(&program.base, folder, "eva@example.com").await;
    let person = json!({"token": token, "company": "Verkstad AB", "name": "Eva Ek",
                        "password": "two lathes and a mill"});
    caller.send(Method::POST, "/v1/customers", &key, Some(&person)).await.unwrap();
    let log_in = json!({"email": "eva@example.com", "password": "two lathes and a mill"});
    let (status, body) =
        caller.send(Method::POST, "/v1/sessions", &key, Some(&log_in)).await.unwrap();
    assert_eq!(status, 201, "{body}");
    body["token"].as_str().unwrap().to_owned()
}

/// Creates a record, changes it, adds an appendix, and starts over, until nobody answers.
async fn write_until_killed(
    caller: Caller,
    acknowledged: Arc<Mutex<Acknowledged>>,
    number: Arc<AtomicU64>,
) {
    loop {
        let n = number.fetch_add(1, Ordering::Relaxed);
        let Some((status, record)) = create(&caller, n).await else {
            acknowledged.lock().unwrap().unanswered.push(n);
            return;
        };
        assert_eq!(status, 201, "{record}");
        let id = record["id"].as_str().unwrap().to_owned();
        acknowledged.lock().unwrap().records.insert(id.clone(), 1);

        let path = format!("/v1/records/{id}");
        let changed = json!({"type": "stress", "title": format!("Record {n}, changed")});
        let headers = [("if-match", "\"1\"")];
        let updated = caller.send(Method::PUT, &path, &headers, Some(&changed)).await;
        let Some((status, body)) = updated else { return };
        assert_eq!(status, 200, "{body}");
        acknowledged.lock().unwrap().records.insert(id, 2);

        let bytes = format!("the bytes of appendix {n}").into_bytes();
        if let Some(appendix) = upload(&caller, &path, n, &bytes).await {
            acknowledged.lock().unwrap().uploads.insert(appendix, (path, bytes));
        } else {
            return;
        }
    }
}

async fn create(caller: &Caller, n: u64) -> Option<(u16, Value)> {
    let content = json!({"type": "stress", "title": format!("Record {n}"), "fields": {"n": n}});
    let key = format!("record-{n}");
    let headers = [("idempotency-key", key.as_str())];
    caller.send(Method::POST, "/v1/records", &headers, Some(&content)).await
}

async fn upload(caller: &Caller, record: &str, n: u64, bytes: &[u8]) -> Option<String> {
    let key = format!("appendix-{n}");
    let headers = [("idempotency-key", key.as_str())];
    let body = json!({"name": "a.txt", "content_type": "text/plain", "bytes": bytes.len(),
                      "sha256": sha256(bytes)});
    let path = format!("{record}/appendices");
    let (status, reserved) = caller.send(Method::POST, &path, &headers, Some(&body)).await?;
    assert_eq!(status, 201, "{reserved}");
    let mut request = caller.http.put(reserved["upload"]["url"].as_str()?).body(bytes.to_vec());
    for (name, value) in reserved["upload"]["headers"].as_object()? {
        request = request.header(name, value.as_str()?);
    }
    let status = request.send().await.ok()?.status().as_u16();
    assert_eq!(status, 200);
    Some(reserved["id"].as_str()?.to_owned())
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Everything acknowledged is there, and every record that is there has its whole history.
async fn check_records(caller: &Caller, acknowledged: &BTreeMap<String, u64>) {
    let mut found = BTreeMap::new();
    let mut numbers = Vec::new();
    let mut path = "/v1/records?limit=100".to_owned();
    loop {
        let page = caller.get(&path).await;
        for record in page["records"].as_array().unwrap() {
            let version = record["version"].as_u64().unwrap();
            found.insert(record["id"].as_str().unwrap().to_owned(), version);
            let title = record["title"].as_str().unwrap();
            numbers.push(title.trim_end_matches(", changed").to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/records?limit=100&cursor={cursor}"),
            None => break,
        }
    }
    let all = numbers.len();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), all, "no record was created twice");
    for (id, version) in acknowledged {
        assert!(
            found.get(id).is_some_and(|found| found >= version),
            "{id} is at {:?}",
            found.get(id)
        );
    }
    for (id, version) in &found {
        let history = caller.get(&format!("/v1/records/{id}/revisions")).await;
        let revisions = history["revisions"].as_array().unwrap();
        let versions: Vec<u64> =
            revisions.iter().map(|revision| revision["version"].as_u64().unwrap()).collect();
        let whole: Vec<u64> = (1..=*version).rev().collect();
        assert_eq!(versions, whole, "{id}: an item without its revision, or the other way round");
        let list = caller.get(&format!("/v1/records/{id}/appendices")).await;
        for appendix in list["appendices"].as_array().unwrap() {
            let versions = appendix["versions"].as_array().unwrap().len();
            assert_eq!(versions, 1, "{id}: an appendix without its version");
        }
    }
}

/// Every upload that was acknowledged becomes stored, if need be by the event that a kill delayed.
async fn check_uploads(caller: &Caller, uploads: &BTreeMap<String, (String, Vec<u8>)>) {
    for (appendix, (record, bytes)) in uploads {
        let path = format!("{record}/appendices/{appendix}");
        let link = loop {
            let (status, body) = caller.send(Method::GET, &path, &[], None).await.unwrap();
            match status {
                200 => break body["download"]["url"].as_str().unwrap().to_owned(),
                409 => tokio::task::yield_now().await,
                other => panic!("{path}: {other} {body}"),
            }
        };
        let answer = caller.http.get(&link).send().await.unwrap();
        assert_eq!(answer.bytes().await.unwrap(), *bytes, "{appendix}");
    }
}
