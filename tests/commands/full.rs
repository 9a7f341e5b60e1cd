//! A disk that gets full: what cannot be kept is refused and named, nothing is lost, and with room it works again.
//! On a small file system of its own, where somebody may mount one; else the test says that it could not.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::serving::{Serving, program, sign_up};
use crate::{local, said};

const PASSWORD: &str = "two lathes and a mill";

/// A file system in memory, gone with the test.
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path, megabytes: u32) -> Option<Self> {
        let size = format!("size={megabytes}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).stderr(Stdio::null());
        let mounted = mount.status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(at.to_owned()))
    }

    /// Leaves so many bytes free.
    fn fill_up_to(&self, free: u64) -> PathBuf {
        let path = self.0.join("filling");
        let _ = std::fs::remove_file(&path);
        let fill = self.free().saturating_sub(free);
        std::fs::write(&path, vec![0; usize::try_from(fill).unwrap()]).unwrap();
        path
    }

    fn free(&self) -> u64 {
        let said =
            Command::new("df").args(["-B1", "--output=avail"]).arg(&self.0).output().unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        said.lines().nth(1).unwrap().trim().parse().unwrap()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

struct Person {
    api: String,
    token: String,
}

impl Person {
    async fn log_in(serving: &Serving, key: &str) -> Self {
        let api = serving.api.clone();
        let login = json!({ "email": "eva@example.com", "password": PASSWORD });
        let request = reqwest::Client::new().post(format!("{api}/v1/sessions"));
        let request = request.header("idempotency-key", key).json(&login);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        Self { api, token: answer["token"].as_str().unwrap().to_owned() }
    }

    async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        key: &str,
        body: &Value,
    ) -> (u16, Value) {
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.api));
        let request = request.bearer_auth(&self.token).header("idempotency-key", key);
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Reserves an appendix of these bytes: its path, and the request to send them with.
    async fn reserve(&self, bytes: &[u8]) -> (String, Value) {
        let record = json!({ "type": "note", "title": "A video" });
        let (status, made) =
            self.send(reqwest::Method::POST, "/v1/records", "record", &record).await;
        assert_eq!(status, 201, "{made}");
        let path = format!("/v1/records/{}/appendices", made["id"].as_str().unwrap());
        let sha256 =
            Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let declared = json!({
            "name": "video.mp4", "content_type": "video/mp4",
            "bytes": bytes.len(), "sha256": sha256,
        });
        let (status, made) = self.send(reqwest::Method::POST, &path, "video", &declared).await;
        assert_eq!(status, 201, "{made}");
        (format!("{path}/{}", made["id"].as_str().unwrap()), made["upload"].clone())
    }
}

async fn put(upload: &Value, bytes: &[u8]) -> u16 {
    let mut request = reqwest::Client::new().put(upload["url"].as_str().unwrap());
    for (name, value) in upload["headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    request.body(bytes.to_vec()).send().await.map_or(0, |answer| answer.status().as_u16())
}

#[test]
fn a_full_disk_is_named_and_nothing_is_lost_or_half_there() {
    let folder = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(folder.path(), 64) else {
        println!("not tried: nobody may mount a file system here");
        return;
    };
    let data = folder.path().join("data");
    let executor = tokio::runtime::Runtime::new().unwrap();
    let bytes = vec![7; 3_000_000];
    executor.block_on(async {
        let mut program = program(&data);
        program.stderr(Stdio::null());
        let serving = Serving::start(program);
        sign_up(&serving, "eva@example.com").await;
        let person = Person::log_in(&serving, "log-in").await;
        let (appendix, upload) = person.reserve(&bytes).await;
        // Room for all but the last page, for half of it, and for nothing.
        for free in [2_998_272, 1_500_000, 8192] {
            let filling = small.fill_up_to(free);
            let status = put(&upload, &bytes).await;
            let (_, shown) = person.send(reqwest::Method::GET, &appendix, "", &Value::Null).await;
            let state = &shown["versions"][0]["state"];
            assert_eq!(status, 500, "with {free} bytes free");
            assert_ne!(state, "stored", "with {free} bytes free: {shown}");
            std::fs::remove_file(filling).unwrap();
        }
        assert_eq!(put(&upload, &bytes).await, 200, "with room it works");
        let mut shown = Value::Null;
        for _ in 0..200 {
            shown = person.send(reqwest::Method::GET, &appendix, "", &Value::Null).await.1;
            if shown["versions"][0]["state"] == "stored" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(read(&shown).await, bytes);
    });
    // An evening for which there is too little room ends, with an error and in time.
    for free in [8192, 200_000, 600_000, 1_000_000, 1_500_000, 2_500_000] {
        let filling = small.fill_up_to(free);
        let started = Instant::now();
        let evening = local(&data, &["backup"]);
        let (out, err) = said(&evening);
        assert!(started.elapsed() < Duration::from_secs(150), "with {free} bytes free");
        assert!(!err.is_empty() || evening.status.success(), "with {free} bytes free: {out}");
        assert!(free > 8192 || !evening.status.success(), "with {free} bytes free: {out}");
        std::fs::remove_file(filling).unwrap();
    }
    let evening = local(&data, &["backup"]);
    let (out, err) = said(&evening);
    assert!(evening.status.success(), "with room it works: {out}\n{err}");
}

/// The bytes that a link leads to.
async fn read(shown: &Value) -> Vec<u8> {
    let url = shown["download"]["url"].as_str().unwrap();
    reqwest::get(url).await.unwrap().bytes().await.unwrap().to_vec()
}
