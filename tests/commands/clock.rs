//! The machine's clock jumps, really: the program runs under libfaketime, in service and at the evening.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::serving::{self, Serving, sign_up};

/// Where the clock is, beside the true time; and whether it has been later before.
const JUMPS: [(&str, bool); 7] = [
    ("+0", false),
    ("-2h", true),
    ("+10m", false),
    ("+40d", false),
    ("+1d", true),
    ("-400d", true),
    ("+41d", false),
];

/// Where the library is that lets a clock jump.
fn library() -> PathBuf {
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tools = repository.join(".tools/faketime/lib");
    let python = std::fs::read_dir(tools).unwrap().next().unwrap().unwrap().path();
    let library = "site-packages/libfaketime/vendor/libfaketime/src/libfaketime.so.1";
    let library = python.join(library);
    assert!(library.exists(), "{}", library.display());
    library
}

fn program(folder: &Path, jump: &str) -> Command {
    let mut program = serving::program(folder);
    program
        .args(["--log-level", "off"])
        .env("LD_PRELOAD", library())
        .env("DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME", jump);
    program
}

fn install() {
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let installed = Command::new(".ci/tools").arg("faketime").current_dir(repository).status();
    assert!(installed.unwrap().success());
}

/// Serves for as long as it takes to sign a company up.
async fn serve(folder: &Path, jump: &str) {
    let serving = Serving::start(program(folder, jump));
    sign_up(&serving, &format!("eva{jump}@example.com")).await;
}

#[tokio::test]
async fn a_clock_that_jumps_rings_and_neither_hides_nor_breaks_anything() {
    install();
    let folder = tempfile::tempdir().unwrap();
    let mut run = String::new();
    for (number, (jump, rings)) in (1..).zip(JUMPS) {
        serve(folder.path(), jump).await;
        let evening = program(folder.path(), jump).arg("backup").output().unwrap();
        let out = String::from_utf8_lossy(&evening.stdout);
        assert!(evening.status.success(), "{jump}: {out}");
        // A company, its owner and four types each time: all of them are from before this evening.
        let revisions = format!("manifest   {} revisions before", 6 * number);
        assert!(out.contains(&revisions), "{jump}: {out}");
        assert!(out.contains("chain      holds since"), "{jump}: {out}");
        assert_eq!(out.contains("clock      "), rings, "{jump}: {out}");
        assert_eq!(out.matches("SUCCESSFUL").count(), 7, "{jump}: {out}");
        let cut = out.split("revisions before ").nth(1).unwrap().split(',').next().unwrap();
        cut.clone_into(&mut run);
    }
    // The clock is right again, and somebody says so.
    let note = ["acknowledge", "--run", &run, "--note", "The clock was ahead"];
    let said = program(folder.path(), "+0").args(note).output().unwrap();
    assert!(
        String::from_utf8_lossy(&said.stdout).contains("the time is this machine's"),
        "{said:?}"
    );
    let evening = program(folder.path(), "+0").arg("backup").output().unwrap();
    let out = String::from_utf8_lossy(&evening.stdout);
    assert!(evening.status.success() && out.contains("chain      holds since"), "{out}");
    assert!(!out.contains("clock      "), "{out}");
}

/// In the midst of service, right before the evening.
#[tokio::test]
async fn the_evening_comes_though_the_clock_was_set_back_by_weeks() {
    install();
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock-of-the-machine");
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let six = now.datetime().with().hour(18).minute(0).second(0).subsec_nanosecond(0).build();
    let six = six.unwrap().to_zoned(jiff::tz::TimeZone::UTC).unwrap();
    // Time enough to start in.
    let left = six.duration_since(&now).as_secs() - 15;
    std::fs::write(&clock, format!("{left:+}s")).unwrap();
    let data = folder.path().join("data");
    let mut program = serving::program(&data);
    program
        .args(["--log-level", "off", "--parameter-overrides", "BackupTimeZone=UTC"])
        .env("LD_PRELOAD", library())
        .env("DONT_FAKE_MONOTONIC", "1")
        // Read anew each second; each time would be by all threads at once, which it cannot do.
        .env("FAKETIME_CACHE_DURATION", "1")
        .env("FAKETIME_TIMESTAMP_FILE", &clock);
    let serving = Serving::start(program);
    let manifest = format!("manifests/{}T18:00:00.000Z.json", six.date());
    let is_there = || {
        let objects = rusqlite::Connection::open(data.join("objects.sqlite")).unwrap();
        let count = "SELECT count(*) FROM versions WHERE key = ?1";
        objects.query_row(count, [&manifest], |row| row.get::<_, u64>(0)).unwrap() > 0
    };
    assert!(!is_there());
    std::fs::write(&clock, "-20d").unwrap();
    let started = std::time::Instant::now();
    while !is_there() {
        assert!(started.elapsed().as_secs() < 60, "no manifest of six o'clock");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    // And people work on.
    sign_up(&serving, "eva@example.com").await;
}
