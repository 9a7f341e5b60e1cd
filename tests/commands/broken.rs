//! What is broken around the program, or in its folder: it says so, and goes on or ends as it should.

use std::fs::File;
use std::process::Stdio;

use serde_json::json;

use crate::serving::{Serving, program, sign_up};
use crate::{local, said};

#[test]
fn without_its_secrets_nothing_starts_where_there_is_data() {
    let folder = tempfile::tempdir().unwrap();
    assert!(local(folder.path(), &["backup"]).status.success());
    let path = folder.path().join("secrets.json");
    let kept = std::fs::read(&path).unwrap();
    for broken in [None, Some("{}"), Some("")] {
        match broken {
            None => std::fs::remove_file(&path).unwrap(),
            Some(text) => std::fs::write(&path, text).unwrap(),
        }
        let refused = local(folder.path(), &["backup"]);
        let (_, err) = said(&refused);
        assert!(!refused.status.success() && err.contains("secrets.json"), "{broken:?}: {err}");
        let now = std::fs::read_to_string(&path).ok();
        assert_eq!(now.as_deref(), broken, "nothing is made up");
    }
    std::fs::write(&path, kept).unwrap();
    assert!(local(folder.path(), &["backup"]).status.success());
}

#[test]
fn what_is_not_as_it_was_written_ends_an_evening_with_1_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let executor = tokio::runtime::Runtime::new().unwrap();
    executor.block_on(async {
        let serving = Serving::start(program(folder.path()));
        sign_up(&serving, "eva@example.com").await;
    });
    assert!(local(folder.path(), &["backup"]).status.success());
    let database = rusqlite::Connection::open(folder.path().join("dynamodb.sqlite")).unwrap();
    let changed = database.execute(
        "UPDATE \"am-local-AccountsTable\" SET item_json = replace(item_json, 'owner', 'admin')
         WHERE sk LIKE 'S:REVISION#USER#%'",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    let evening = local(folder.path(), &["backup"]);
    let (out, err) = said(&evening);
    assert!(!evening.status.success(), "{out}\n{err}");
    assert!(
        err.contains("not as they were written: 01") && err.contains("REVISION#USER#"),
        "{err}"
    );
}

/// A log that cannot be written is no reason to answer nothing.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_the_log_stops_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let executor = tokio::runtime::Runtime::new().unwrap();
    executor.block_on(async {
        let mut program = program(folder.path());
        program.args(["--log-level", "debug"]).stderr(File::create("/dev/full").unwrap());
        let serving = Serving::start(program);
        sign_up(&serving, "eva@example.com").await;
        let another = sign_up(&serving, "ida@example.com").await;
        assert_eq!(another["user"]["sign_in_name"], "ida@example.com");
    });
}

/// A restore that is asked for again once it is done has nothing to do, and that is no failure.
#[test]
fn a_restore_that_is_done_can_be_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    assert!(local(folder.path(), &["backup"]).status.success());
    let to = crate::second();
    let restore = ["restore", "--to", &to, "--reason", "drill", "--execute"];
    for time in ["first", "again"] {
        let restored = local(folder.path(), &restore);
        let (out, err) = said(&restored);
        assert!(restored.status.success() && out.contains("(drill): done"), "{time}: {out}\n{err}");
    }
}

/// Each hash takes 19 MiB; so many at once would take gigabytes.
#[cfg(target_os = "linux")]
#[test]
fn many_log_ins_at_once_take_turns() {
    const AT_ONCE: usize = 48;
    let folder = tempfile::tempdir().unwrap();
    let executor = tokio::runtime::Runtime::new().unwrap();
    let (before, peak) = executor.block_on(async {
        let mut program = program(folder.path());
        program.stderr(Stdio::null());
        let serving = Serving::start(program);
        sign_up(&serving, "eva@example.com").await;
        let before = serving.peak_mib();
        let log_in = || async {
            let body = json!({ "email": "eva@example.com", "password": "two lathes and a mill" });
            let request = reqwest::Client::new().post(format!("{}/v1/sessions", serving.api));
            let key = format!("k-{}", fastrand::u64(..));
            request.header("idempotency-key", key).json(&body).send().await.unwrap().status()
        };
        let answers = futures_util::future::join_all((0..AT_ONCE).map(|_| log_in())).await;
        let taken = answers.iter().filter(|status| status.as_u16() == 201).count();
        let refused = answers.iter().filter(|status| [429, 503].contains(&status.as_u16())).count();
        assert_eq!(taken + refused, AT_ONCE, "{answers:?}");
        assert!(taken > 0);
        (before, serving.peak_mib())
    });
    assert!(peak < before + 150, "{before} MiB before, {peak} MiB at the most");
}

/// The database is gone, with all that it knew of itself; the backups are there.
#[test]
fn a_service_without_its_database_comes_back_from_the_newest_verified_backup() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let executor = tokio::runtime::Runtime::new().unwrap();
    let serve_and_sign_up = |email: &str| {
        executor.block_on(async {
            let serving = Serving::start(program(data));
            sign_up(&serving, email).await;
        });
    };
    serve_and_sign_up("eva@example.com");
    // Nothing was verified yet; and what is there is not written over.
    let refused = local(data, &["restore", "--from-backup"]);
    assert!(said(&refused).1.contains("has data"), "{refused:?}");
    assert!(local(data, &["backup"]).status.success());
    serve_and_sign_up("lost@example.com");
    for name in ["dynamodb.sqlite", "dynamodb.sqlite-wal", "dynamodb.sqlite-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    // Cut off in the midst of it, nobody uses a half; done again, it is whole.
    let marker = data.join("recovery-points/bringing-back");
    std::fs::write(&marker, []).unwrap();
    assert!(said(&local(data, &["backup"])).1.contains("half brought back"));
    let back = local(data, &["restore", "--from-backup"]);
    assert!(!marker.exists());
    let (out, err) = said(&back);
    assert!(back.status.success() && out.contains("What was written after 20"), "{out}\n{err}");
    let evening = local(data, &["backup"]);
    let (out, err) = said(&evening);
    assert!(evening.status.success(), "{out}\n{err}");
    assert!(out.contains("manifest   6 revisions") && out.contains("chain      holds"), "{out}");
    executor.block_on(async {
        let serving = Serving::start(program(data));
        let log_in = async |email: &str| {
            let body = json!({ "email": email, "password": "two lathes and a mill" });
            let request = reqwest::Client::new().post(format!("{}/v1/sessions", serving.api));
            let request = request.header("idempotency-key", email.replace('@', ".")).json(&body);
            request.send().await.unwrap().status().as_u16()
        };
        assert_eq!(log_in("eva@example.com").await, 201);
        assert_eq!(log_in("lost@example.com").await, 401);
    });
    let gone = tempfile::tempdir().unwrap();
    let refused = local(gone.path(), &["restore", "--from-backup"]);
    let (_, err) = said(&refused);
    assert!(!refused.status.success() && err.contains("no verified backup of"), "{err}");
}
