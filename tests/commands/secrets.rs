//! What is secret or personal stands where it belongs, and nowhere else: planted values are looked for in every file
//! of the data folder, in the backups, and in a log of all that the program has to say.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::local;
use crate::serving::{Serving, program};

const OWNER: &str = "eva.planted@example.com";
const FLOOR: &str = "planted.ida@verkstad";
const MAILED: &str = "planted.kurt@example.com";
const NAME: &str = "Planted Ek";
const PASSWORDS: [&str; 4] = [
    "planted lathe by the window",
    "planted saw under the roof",
    "planted press in the corner",
    "planted drill near the gate",
];

struct Asks {
    api: String,
    asked: u32,
}

impl Asks {
    async fn send(&mut self, call: &str, token: Option<&str>, body: Value) -> (u16, Value) {
        let (method, path) = call.split_once(' ').unwrap();
        self.asked += 1;
        let request = reqwest::Client::new()
            .request(method.parse().unwrap(), format!("{}{path}", self.api))
            .header("idempotency-key", format!("ask-{}", self.asked))
            .json(&body);
        let request = token.iter().fold(request, |request, token| request.bearer_auth(token));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn log_in(&mut self, name: &str, password: &str) -> String {
        let body = json!({ "sign_in_name": name, "password": password });
        let (status, answer) = self.send("POST /v1/sessions", None, body).await;
        assert_eq!(status, 201, "{answer}");
        answer["token"].as_str().unwrap().to_owned()
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_and_no_address_is_in_a_table_or_a_printed_value() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("log"));
    let mut command = program(&data);
    command
        .args(["--log-level", "trace"])
        .stderr(Stdio::from(std::fs::File::create(&log).unwrap()));
    let serving = Serving::start(command);
    let mut asks = Asks { api: serving.api.clone(), asked: 0 };
    let sign_up = testing::letters::sign_up_token(&serving.api, &data, OWNER).await;
    let person = json!({
        "token": sign_up, "company": "Verkstad AB", "name": NAME, "password": PASSWORDS[0],
    });
    assert_eq!(asks.send("POST /v1/customers", None, person).await.0, 201);
    let mut secrets: Vec<String> = PASSWORDS.iter().map(|it| (*it).to_owned()).collect();
    let token = asks.log_in(OWNER, PASSWORDS[0]).await;
    let (_, invited) =
        asks.send("POST /v1/invitations", Some(&token), json!({ "role": "member" })).await;
    let invitation = invited["token"].as_str().unwrap().to_owned();
    let body = json!({ "token": invitation, "name": NAME, "sign_in_name": FLOOR, "password": PASSWORDS[1] });
    let (status, came) = asks.send("POST /v1/acceptances", None, body).await;
    assert_eq!(status, 201, "{came}");
    let hers = asks.log_in(FLOOR, PASSWORDS[1]).await;
    let change = json!({ "current_password": PASSWORDS[1], "new_password": PASSWORDS[2] });
    assert_eq!(asks.send("PUT /v1/password", Some(&hers), change).await.0, 204);
    let path = format!("POST /v1/people/{}/password-resets", came["user"]["id"].as_str().unwrap());
    let (_, made) = asks.send(&path, Some(&token), Value::Null).await;
    let reset = made["token"].as_str().unwrap().to_owned();
    let body = json!({ "token": reset, "new_password": PASSWORDS[3] });
    assert_eq!(asks.send("POST /v1/password-resets", None, body).await.0, 204);
    // A program works by a token; a colleague is invited by mail, and the owner forgets a password.
    let machine = json!({ "name": "ERP", "role": "viewer", "scopes": ["records"] });
    let (_, machine) = asks.send("POST /v1/tokens", Some(&token), machine).await;
    let machine = machine["token"].as_str().unwrap().to_owned();
    assert_eq!(asks.send("GET /v1/records", Some(&machine), Value::Null).await.0, 200);
    let by_mail = json!({ "role": "viewer", "email": MAILED });
    assert_eq!(asks.send("POST /v1/invitations", Some(&token), by_mail).await.0, 201);
    let ask = json!({ "email": OWNER });
    assert_eq!(asks.send("POST /v1/password-reset-requests", None, ask).await.0, 202);
    let mailed = testing::letters::newest_letter(&data, MAILED).token().to_owned();
    let reset_by_mail = testing::letters::newest_letter(&data, OWNER).token().to_owned();
    // And what goes wrong: refused, and answered with an error.
    for (name, password) in [(OWNER, PASSWORDS[2]), ("nobody.planted@example.com", PASSWORDS[0])] {
        let body = json!({ "sign_in_name": name, "password": password });
        assert_eq!(asks.send("POST /v1/sessions", None, body).await.0, 401);
    }
    assert_eq!(
        asks.send("POST /v1/sessions", None, json!({ "sign_in_name": OWNER, "password": 7 }))
            .await
            .0,
        422
    );
    drop(serving);
    // The evening too, whose backups and reports are files.
    assert!(local(&data, &["backup"]).status.success());
    // Of a token, the part that is secret: what comes before says whose it is.
    secrets.extend(
        [token, hers, invitation, reset, sign_up, machine, mailed, reset_by_mail]
            .map(|token| token[token.len() - 40..].to_owned()),
    );
    let printed = std::fs::read(&log).unwrap();
    assert!(printed.len() > 1000, "it has logged");
    for personal in [OWNER, FLOOR, NAME, MAILED, "nobody.planted@example.com"] {
        assert!(!has(&printed, personal), "{personal} is in the log");
    }
    let mut seen = 0;
    // Letters are for those who get them.
    let is_letter = |file: &PathBuf| file.components().any(|part| part.as_os_str() == "outbox");
    for file in files(&data).into_iter().filter(|file| !is_letter(file)) {
        let bytes = std::fs::read(&file).unwrap();
        seen += usize::from(has(&bytes, OWNER));
        for secret in &secrets {
            assert!(!has(&bytes, secret), "{secret} is in {}", file.display());
        }
        // Reports and manifests name nobody.
        let is_report = file.components().any(|part| part.as_os_str() == "objects");
        assert!(!is_report || !has(&bytes, "planted"), "{}", file.display());
    }
    for secret in &secrets {
        assert!(!has(&printed, secret), "{secret} is in the log");
    }
    assert!(seen > 0, "nothing would be found that is there");
}
