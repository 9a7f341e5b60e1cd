//! The built binaries, each a process behind Lambda's Runtime API, in front of them API Gateway's
//! shape and behind them the embedded stores: what `sam deploy` would run, on this machine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod people;
mod permissions;
mod round_trips;
mod words;

use std::path::{Path, PathBuf};

use local::{Cloud, Options};
use serde_json::json;

/// Where cargo has put them.
fn binaries() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_get-record")).parent().unwrap().to_owned()
}

async fn cloud(folder: &Path) -> Cloud {
    let options = Options { binaries: Some(binaries()), ..testing::world::options(folder) };
    Cloud::start(&options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_finds_their_way() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud(folder.path()).await;
    let (api, email) = (format!("http://{}", cloud.address()), testing::journey::new_address());
    let token = testing::letters::sign_up_token(&api, folder.path(), &email).await;
    testing::journey::walk(&api, &email, &token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_none_fails_and_the_process_takes_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud(folder.path()).await;
    let error = cloud.invoke("get-record", json!({"x": 1})).await.unwrap_err();
    assert!(error.to_string().contains("JSON payload"), "{error}");
    let answer = reqwest::get(format!("http://{}/v1/records/x", cloud.address())).await.unwrap();
    assert_eq!(answer.status(), 401);
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
