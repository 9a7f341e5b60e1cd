//! An evening is killed at any moment. The next one is whole, and no backup is said to be there that is not.
//! `KILLS` says how often: a few times in CI, two hundred for a release. `SEED` chooses the same moments
//! again, as parts of the time that an evening takes.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::serving::{Serving, program, sign_up};
use crate::{local, said};

const IN_CI: u64 = 6;
/// So many kills of each folder: each evening reads the evidence of all before it.
const OF_A_FOLDER: u64 = 20;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// Every recovery point has its copy, and every copy is a recovery point's.
fn check(folder: &Path) {
    let documents = rusqlite::Connection::open(folder.join("backup.sqlite")).unwrap();
    let mut all = documents.prepare("SELECT document FROM documents WHERE kind = ?1").unwrap();
    let mut of = |kind: &str| -> Vec<Value> {
        let rows = all.query_map([kind], |row| row.get::<_, String>(0)).unwrap();
        rows.map(|text| serde_json::from_str(&text.unwrap()).unwrap()).collect()
    };
    let file = |arn: &Value| {
        let id = arn.as_str().unwrap().rsplit(':').next().unwrap();
        folder.join("recovery-points").join(id).with_extension("sqlite")
    };
    let points = of("recovery point");
    for point in &points {
        assert!(file(&point["RecoveryPointArn"]).exists(), "{point}");
        if point["ResourceType"] == "S3" {
            let objects = file(&point["RecoveryPointArn"]).with_extension("objects");
            assert!(objects.is_dir(), "{point}");
        }
    }
    for job in of("backup job") {
        let there = points.iter().any(|it| it["RecoveryPointArn"] == job["RecoveryPointArn"]);
        assert_eq!(there, job["State"] == "COMPLETED", "{job}");
    }
    let files = std::fs::read_dir(folder.join("recovery-points")).unwrap();
    for path in files.map(|it| it.unwrap().path()) {
        let known = points.iter().any(|it| {
            let kept = file(&it["RecoveryPointArn"]);
            kept == path || kept.with_extension("objects") == path
        });
        assert!(known, "{} is nobody's", path.display());
    }
}

/// A folder with a company, and how long its evening takes.
fn stage() -> (tempfile::TempDir, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let executor = tokio::runtime::Runtime::new().unwrap();
    executor.block_on(async {
        let serving = Serving::start(program(folder.path()));
        sign_up(&serving, "eva@example.com").await;
    });
    let started = Instant::now();
    assert!(local(folder.path(), &["backup"]).status.success());
    (folder, started.elapsed())
}

#[test]
fn after_an_evening_that_was_killed_the_next_one_is_whole() {
    let seed = variable("SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let kills = variable("KILLS").unwrap_or(IN_CI);
    let (mut folder, mut takes) = stage();
    for kill in 0..kills {
        if kill > 0 && kill % OF_A_FOLDER == 0 {
            (folder, takes) = stage();
        }
        let after = takes.mul_f64(random.f64());
        let mut evening = program(folder.path());
        evening.args(["--log-level", "off", "backup"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut evening = evening.spawn().unwrap();
        std::thread::sleep(after);
        evening.kill().unwrap();
        evening.wait().unwrap();
        let next = local(folder.path(), &["backup"]);
        let (out, err) = said(&next);
        assert!(next.status.success(), "kill {kill} after {after:?}: {out}\n{err}");
        assert_eq!(out.matches("SUCCESSFUL").count(), 7, "kill {kill} after {after:?}: {out}");
        check(folder.path());
    }
    println!("{kills} kills of an evening that takes {takes:?}");
}
