//! A person's way through the whole API, by HTTP alone: it can be walked on the local cloud, on an
//! emulator, and on a deployed stack.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sha2::Digest as _;

/// How long the event of an upload may take to be noted. On AWS it is a second or two.
const NOTED_WITHIN: Duration = Duration::from_secs(60);

struct Visitor {
    api: String,
    http: Client,
    token: String,
    /// Makes Idempotency-Keys this visit's own.
    visit: u128,
    keys: u32,
}

/// An address of a visit's own.
pub fn new_address() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("visitor-{}@example.com", now.as_nanos())
}

/// Signs up a customer of its own by the token that `email` was sent, keeps a record with two versions of an appendix, and leaves. What
/// cannot be deleted stays: the customer, its owner, and the history of the record.
pub async fn walk(api: &str, email: &str, sign_up_token: &str) {
    let visit = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let (api, http, token) = (api.trim_end_matches('/').to_owned(), Client::new(), String::new());
    let mut visitor = Visitor { api, http, token, visit, keys: 0 };
    let person = json!({
        "token": sign_up_token, "company": "Smoke Test AB", "name": "Eva Ek",
        "password": "two lathes and a mill",
    });
    visitor.post("/v1/customers", person).await;
    let log_in = json!({"email": email, "password": "two lathes and a mill"});
    visitor.token = text(&visitor.post("/v1/sessions", log_in).await["token"]).to_owned();
    assert_eq!(visitor.get("/v1/session").await["user"]["name"], "Eva Ek");

    let content = json!({"type": "checkup", "title": "Pump 3", "fields": {"bar": 4.5}});
    let record = visitor.post("/v1/records", content).await;
    let path = format!("/v1/records/{}", text(&record["id"]));
    let appendix = visitor.keep_two_versions(&path).await;
    visitor.change_and_be_late(&path).await;
    visitor.leave(&[&appendix, &path]).await;
}

impl Visitor {
    async fn keep_two_versions(&mut self, record: &str) -> String {
        let (first, second) = (b"the first photo".as_slice(), b"a better photo".as_slice());
        let mut body = declaration(first);
        body["name"] = json!("pump.png");
        let reserved = self.post(&format!("{record}/appendices"), body).await;
        let appendix = format!("{record}/appendices/{}", text(&reserved["id"]));
        self.upload(record, &reserved, first).await;
        let next = self.post(&format!("{appendix}/versions"), declaration(second)).await;
        self.upload(record, &next, second).await;
        assert_eq!(self.download(&format!("{appendix}?version=1")).await, first);
        assert_eq!(self.download(&appendix).await, second);
        appendix
    }

    /// The second of two changes to the same version is refused.
    async fn change_and_be_late(&self, record: &str) {
        for (title, expected) in [
            ("Pump 3, repaired", StatusCode::OK),
            ("Pump 3, lost", StatusCode::PRECONDITION_FAILED),
        ] {
            let body = json!({"type": "checkup", "title": title});
            let request = self.http.put(self.url(record)).header("if-match", "\"1\"").json(&body);
            assert_eq!(self.send(request).await.status(), expected, "{title}");
        }
        assert_eq!(self.get("/v1/records").await["records"][0]["title"], "Pump 3, repaired");
        let revisions = self.get(&format!("{record}/revisions")).await;
        assert_eq!(revisions["revisions"][1]["version"], 1);
    }

    async fn leave(&self, things: &[&str]) {
        for path in things {
            let request = self.http.delete(self.url(path)).header("if-match", "\"2\"");
            assert_eq!(self.send(request).await.status(), StatusCode::NO_CONTENT, "{path}");
        }
        let out = self.http.delete(self.url("/v1/session"));
        assert_eq!(self.send(out).await.status(), StatusCode::NO_CONTENT);
        let after = self.http.get(self.url("/v1/session"));
        assert_eq!(self.send(after).await.status(), StatusCode::UNAUTHORIZED);
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.api)
    }

    async fn send(&self, request: RequestBuilder) -> Response {
        request.bearer_auth(&self.token).send().await.unwrap()
    }

    async fn post(&mut self, path: &str, body: Value) -> Value {
        self.keys += 1;
        let key = format!("{}-{}", self.visit, self.keys);
        let request = self.http.post(self.url(path)).header("idempotency-key", key).json(&body);
        expect(self.send(request).await, StatusCode::CREATED).await
    }

    async fn get(&self, path: &str) -> Value {
        expect(self.send(self.http.get(self.url(path))).await, StatusCode::OK).await
    }

    /// Uploads what was reserved, and waits until that is noted.
    async fn upload(&self, record: &str, reserved: &Value, bytes: &[u8]) {
        let mut request = self.http.put(text(&reserved["upload"]["url"])).body(bytes.to_vec());
        for (name, value) in reserved["upload"]["headers"].as_object().unwrap() {
            request = request.header(name, text(value));
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        assert_eq!(status, StatusCode::OK, "{}", answer.text().await.unwrap());
        let noted = tokio::time::timeout(NOTED_WITHIN, async {
            loop {
                let listed = self.get(&format!("{record}/appendices")).await;
                let versions = listed["appendices"][0]["versions"].as_array().unwrap().clone();
                if versions.iter().all(|version| version["state"] == "stored") {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        noted.await.expect("an upload is noted");
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
