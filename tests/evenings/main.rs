//! Evenings under constant writing, clocks jumping in a fifth of them, and not one false alarm.
//! `EVENINGS` says how many: a few in CI, two hundred for a release. `SEED` repeats a run. It has a process of
//! its own, since its time goes ahead.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use am_service::backups::open_run::{self, Context};
use backup::{Cause, Findings, Manifest, Verifier};
use domain::RecordId;
use runtime::clock::{self, CLOCKS_DIFFER};
use runtime::{Env, OperatorEnv, OsEntropy};
use serde_json::{Value, json};
use store::TableKind;

use testing::operator;
use testing::world::{Call, World};

/// So many evenings of each world: what was written stays, and each evening is of all of it.
const OF_A_WORLD: u64 = 20;
const IN_CI: u64 = 20;
const WRITERS: u64 = 3;
/// Often enough for something to change during every run.
const BETWEEN: Duration = Duration::from_millis(15);
/// A request that was begun before has been answered: here, none takes that long.
const CUT_BEFORE: Duration = Duration::from_secs(1);
/// One evening in so many, the clock jumps.
const JUMPS: u64 = 5;
/// By so many minutes: the machine's clock was ahead by that and is right again, or was set back by it. Either
/// way, it is behind what was issued.
const BY_MINUTES: [u64; 6] = [1, 4, 6, 45, 120, 600];

/// What is counted.
#[derive(Default)]
struct Seen {
    jumped: u64,
    rang: u64,
    /// Changes in the midst of which a copy was taken.
    torn: u64,
}

/// A world that people write in.
struct Stage {
    world: World,
    context: Context,
    stop: AtomicBool,
    written: AtomicU64,
}

impl Stage {
    async fn new() -> Self {
        let world = World::with_record().await;
        let environment = world.cloud.operator_environment();
        let lookup = |name: &str| environment.get(name).cloned();
        let context = Context::build(&OperatorEnv::new(Env::new(&lookup))).unwrap();
        let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
        Self { world, context, stop, written }
    }

    /// Creates a record and changes it, over and over.
    async fn write(self: Arc<Self>) {
        while !self.stop.load(Ordering::Relaxed) {
            let record = RecordId::new(runtime::now(), &OsEntropy);
            let create = Call::to("POST /v1/records").later(runtime::now());
            let create = create.with("id", json!(record));
            let create = create.header("idempotency-key", &format!("load-{record}"));
            assert_eq!(self.world.send(create).await.status(), 201);
            for version in 1..20 {
                let update = Call::to("PUT /v1/records/{record_id}").later(runtime::now());
                let update = update.path("record_id", &record.to_string());
                let update = update.header("if-match", &format!("\"{version}\""));
                assert_eq!(self.world.send(update).await.status(), 200);
                self.written.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(BETWEEN).await;
            }
        }
    }

    /// Adds everything up, backs it up and verifies that, and holds it all against the evening before.
    async fn evening(&self, run: usize, seen: &mut Seen) {
        let (now, behind) = (runtime::now(), clock::behind());
        let event = json!({ "scheduled_at": now.before(CUT_BEFORE), "quiet": true });
        let event = serde_json::from_value(event).unwrap();
        let opened = open_run::handle(&self.context, &event, now, behind).await.unwrap();
        let opened = serde_json::to_value(opened).unwrap();
        assert_eq!(opened["chain"]["holds"], true, "run {run}: {opened:#}");
        let rang = opened["clock"] != Value::Null;
        assert_eq!(rang, behind > CLOCKS_DIFFER, "run {run}: {opened:#}");
        seen.rang += u64::from(rang);
        let key = opened["manifest"].as_str().unwrap();
        let manifest = self.context.evidence.read(key).await.unwrap();
        let manifest = Manifest::from_json(&manifest).unwrap();
        let (operator, bucket) = (&self.world.operator, self.world.bucket());
        let verifier =
            Verifier { operator, bucket: &bucket, manifest: &manifest, looks_in_use: true };
        let copy = operator::back_up_and_restore(&self.world.cloud, "RECORDS_TABLE", run).await;
        let report = verifier.table(TableKind::Records, &copy).await.unwrap();
        assert!(report.is_clean(), "run {run}: {:?}", report.findings);
        assert_eq!(report.in_use, Findings::default(), "run {run}");
        assert!(report.checked > 0 && manifest.table("records").all.count > 0, "run {run}");
        seen.torn += report.findings.counts.get(&Cause::Torn).unwrap_or(&0);
        operator::delete_copy(&self.world.cloud, &copy).await;
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn evenings_under_constant_writing_raise_no_alarm_but_that_a_clock_has_jumped() {
    let evenings = variable("EVENINGS").unwrap_or(IN_CI);
    let seed = variable("SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut seen, mut least) = (Seen::default(), u64::MAX);
    for world in 0..evenings.div_ceil(OF_A_WORLD) {
        let stage = Arc::new(Stage::new().await);
        let writers: Vec<_> = (0..WRITERS).map(|_| tokio::spawn(stage.clone().write())).collect();
        tokio::time::sleep(CUT_BEFORE).await;
        for run in 0..OF_A_WORLD.min(evenings - world * OF_A_WORLD) {
            let before = stage.written.load(Ordering::Relaxed);
            if run % JUMPS == JUMPS - 1 {
                let minutes = random.choice(BY_MINUTES).unwrap_or_default();
                clock::not_before(runtime::now().after(Duration::from_secs(minutes * 60)));
                seen.jumped += 1;
                // What was begun before has been answered.
                tokio::time::sleep(CUT_BEFORE).await;
            }
            stage.evening(usize::try_from(run).unwrap(), &mut seen).await;
            least = least.min(stage.written.load(Ordering::Relaxed) - before);
        }
        stage.stop.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.await.unwrap();
        }
    }
    let Seen { jumped, rang, torn } = seen;
    println!(
        "{evenings} evenings, {jumped} jumps, {rang} rang; at least {least} changes during each, {torn} \
         seen in the midst of one"
    );
    assert!(least > 0, "nobody wrote during one of the runs");
    assert!(torn > 0 || evenings < 100, "no copy was taken in the midst of a change");
}
