//! docs/openapi.json is valid, and the running service is what it says: schemathesis asks it, signed in, all
//! that the document lets a client ask, and much that it does not. `SCHEMATHESIS_EXAMPLES` says how much.

use std::path::Path;
use std::process::{Command, ExitCode};

use local::{Cloud, Options};
use serde_json::{Value, json};

/// In CI; a long run takes hundreds.
const EXAMPLES: &str = "15";

fn main() -> ExitCode {
    std::env::set_current_dir(env!("CARGO_MANIFEST_DIR")).expect("the repository is there");
    run(Command::new(".ci/tools").arg("openapi"));
    run(Command::new(".tools/openapi/bin/openapi-spec-validator").args([
        "--schema",
        "3.1",
        "--validation-errors",
        "all",
        "docs/openapi.json",
    ]));
    let executor = tokio::runtime::Runtime::new().expect("an executor starts");
    if !executor.block_on(ask_everything()) {
        return ExitCode::FAILURE;
    }
    println!("the service is as it is described: ok");
    ExitCode::SUCCESS
}

/// Whether nothing was found that is not as described.
async fn ask_everything() -> bool {
    let folder = tempfile::tempdir().expect("a folder is made");
    let cloud = Cloud::start(&Options::new(Path::new("."), folder.path())).await;
    let cloud = cloud.expect("the local cloud starts");
    let api = format!("http://{}", cloud.address());
    let token = log_in(&api, folder.path()).await;
    let examples = std::env::var("SCHEMATHESIS_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
    let mut schemathesis = Command::new(".tools/openapi/bin/schemathesis");
    schemathesis
        .args(["--no-color", "--config-file", "tests/openapi/schemathesis.toml", "run"])
        .args(["docs/openapi.json", "--checks", "all", "--max-examples", &examples])
        .env("API_URL", &api)
        .env("API_TOKEN", &token)
        .env("HYPOTHESIS_STORAGE_DIRECTORY", folder.path().join("hypothesis"));
    let asked = tokio::task::spawn_blocking(move || schemathesis.status()).await;
    let asked = asked.expect("it is waited for").expect("schemathesis starts");
    let session = reqwest::Client::new().get(format!("{api}/v1/session")).bearer_auth(token);
    let session = session.send().await.expect("the service answers");
    assert_eq!(session.status(), 200, "the session was lost on the way");
    asked.success()
}

/// Signs a company up, and logs its owner in.
async fn log_in(api: &str, data: &Path) -> String {
    let token = testing::letters::sign_up_token(api, data, "eva@example.com").await;
    let person = json!({
        "token": token, "company": "Verkstad AB", "name": "Eva Ek",
        "password": "two lathes and a mill",
    });
    let login = json!({ "email": "eva@example.com", "password": "two lathes and a mill" });
    let mut answer = Value::Null;
    for (path, body) in [("customers", person), ("sessions", login)] {
        let request = reqwest::Client::new().post(format!("{api}/v1/{path}"));
        let request = request.header("idempotency-key", path).json(&body);
        let response = request.send().await.expect("the service answers");
        assert_eq!(response.status(), 201, "{path}");
        answer = response.json().await.expect("answers are JSON");
    }
    answer["token"].as_str().expect("a log-in gives a token").to_owned()
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}
