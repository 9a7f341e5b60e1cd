//! Two hundred backups taken under constant writing, and not one false alarm.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use backup::{Cause, Findings, Verifier};
use domain::RecordId;
use runtime::OsEntropy;
use serde_json::json;
use store::TableKind;

use testing::operator;
use testing::world::{Call, World};

/// Worlds, and backups of each: what was written stays, and each backup is of all of it.
const WORLDS: usize = 10;
const RUNS: usize = 20;
const WRITERS: u64 = 3;
/// Often enough for something to change during every run.
const BETWEEN: Duration = Duration::from_millis(15);
/// A request that was begun before has been answered: here, none takes that long.
const CUT_BEFORE: Duration = Duration::from_secs(1);

/// Creates a record and changes it, over and over.
async fn write(world: Arc<World>, stop: Arc<AtomicBool>, written: Arc<AtomicU64>) {
    while !stop.load(Ordering::Relaxed) {
        let record = RecordId::new(runtime::now(), &OsEntropy);
        let create = Call::to("POST /v1/records").later(runtime::now());
        let create = create.with("id", json!(record));
        let create = create.header("idempotency-key", &format!("load-{record}"));
        assert_eq!(world.send(create).await.status(), 201);
        for version in 1..20 {
            let update = Call::to("PUT /v1/records/{record_id}").later(runtime::now());
            let update = update.path("record_id", &record.to_string());
            let update = update.header("if-match", &format!("\"{version}\""));
            assert_eq!(world.send(update).await.status(), 200);
            written.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(BETWEEN).await;
        }
    }
}

/// What was seen in one world: changes in the midst of which a copy was taken, and the fewest changes
/// that were made during a run.
async fn back_up_under_load() -> (u64, u64) {
    let world = Arc::new(World::with_record().await);
    let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| tokio::spawn(write(world.clone(), stop.clone(), written.clone())))
        .collect();
    tokio::time::sleep(CUT_BEFORE).await;
    let (mut torn, mut least) = (0, u64::MAX);
    for run in 0..RUNS {
        let before = written.load(Ordering::Relaxed);
        let cut = runtime::now().before(CUT_BEFORE);
        let manifest = backup::manifest(&world.operator, cut).await.unwrap();
        let bucket = world.bucket();
        let verifier = Verifier {
            operator: &world.operator,
            bucket: &bucket,
            manifest: &manifest,
            looks_in_use: true,
        };
        let copy = operator::back_up_and_restore(&world.cloud, "RECORDS_TABLE", run).await;
        let report = verifier.table(TableKind::Records, &copy).await.unwrap();
        assert!(report.is_clean(), "run {run}: {:?}", report.findings);
        assert_eq!(report.in_use, Findings::default(), "run {run}");
        assert!(report.checked > 0 && manifest.table("records").all.count > 0, "run {run}");
        torn += report.findings.counts.get(&Cause::Torn).unwrap_or(&0);
        least = least.min(written.load(Ordering::Relaxed) - before);
        operator::delete_copy(&world.cloud, &copy).await;
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    (torn, least)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_backups_under_constant_writing_raise_no_false_alarm() {
    let (mut torn, mut least) = (0, u64::MAX);
    for _ in 0..WORLDS {
        let (seen, changes) = back_up_under_load().await;
        (torn, least) = (torn + seen, least.min(changes));
    }
    let runs = WORLDS * RUNS;
    println!("{runs} runs, at least {least} changes during each, {torn} seen in the midst of one");
    assert!(least > 0, "nobody wrote during one of the runs");
    assert!(torn > 0, "no copy was taken in the midst of a change");
}
