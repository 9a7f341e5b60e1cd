//! The whole drill, each step shared out among functions and killed on the way: uploads across the second, a
//! restore to a second that was too early, the switch taken back, and a restore to a later one.
//! `KILLS` says how finely the moments of the kills follow each other: 6 in CI, 40 for a release.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::{RecordId, Timestamp};
use runtime::OsEntropy;
use serde_json::{Value, json};

use crate::restore::{TABLES, erase, log_in, order, upload, whole_second};
use testing::operator;
use testing::world::{Call, SHARPER_PHOTO, World, declaration};

const SEGMENTS: u32 = 3;
const WRITERS: u32 = 4;
const IN_CI: u32 = 6;
const ADD: &str = "POST /v1/records/{record_id}/appendices";
const GET: &str = "GET /v1/records/{record_id}/appendices/{appendix_id}";

/// What was answered, and when.
#[derive(Default)]
struct Acknowledged {
    records: Vec<(RecordId, Timestamp)>,
    /// The record, the appendix and its bytes.
    uploads: Vec<(RecordId, String, Vec<u8>, Timestamp)>,
    erased: Vec<(RecordId, Timestamp)>,
}

/// Creates records, each with an appendix, and erases every fourth, until told to stop.
async fn write(world: Arc<World>, stop: Arc<AtomicBool>) -> Acknowledged {
    let mut log = Acknowledged::default();
    let mut turn = 0;
    while !stop.load(Ordering::Relaxed) {
        let record = RecordId::new(runtime::now(), &OsEntropy);
        let create = Call::to("POST /v1/records").later(runtime::now());
        let create = create.with("id", json!(record));
        let create = create.header("idempotency-key", &format!("drill-{record}"));
        assert_eq!(world.send(create).await.status(), 201);
        log.records.push((record, runtime::now()));
        turn += 1;
        if turn % 4 == 0 {
            erase(&world, record, 1).await;
            log.erased.push((record, runtime::now()));
            continue;
        }
        let bytes = format!("a photo of {record}").into_bytes();
        let mut body = declaration(&bytes);
        body["name"] = json!("a.jpg");
        let reserve = Call::to(ADD).later(runtime::now()).path("record_id", &record.to_string());
        let reserve = reserve.header("idempotency-key", &format!("photo-{record}")).body(body);
        let reserved = world.send(reserve).await;
        assert_eq!(reserved.status(), 201, "{reserved:?}");
        upload(&reserved.body()["upload"], &bytes).await;
        let appendix = reserved.body()["id"].as_str().unwrap().to_owned();
        log.uploads.push((record, appendix, bytes, runtime::now()));
    }
    log
}

/// Has a restore done in parts, and cut off again and again, a little later each time, with the whole cloud
/// killed on the way. How often it was cut off.
async fn through_kills(mut world: World, event: &Value, restored_as: &str) -> (World, Value, u32) {
    let finely = std::env::var("KILLS").map_or(IN_CI, |kills| kills.parse().expect("a number"));
    let mut order = event.clone();
    order["segments"] = json!(SEGMENTS);
    let (mut kills, mut patience) = (0, Duration::from_millis(1));
    loop {
        let asked =
            tokio::time::timeout(patience, world.cloud.invoke("restore-service", order.clone()));
        let mut cut_off = 0;
        match asked.await {
            Err(_) => cut_off += 1,
            Ok(outcome) => {
                let outcome = outcome.unwrap();
                if let Some(of) = outcome["parts"].as_u64() {
                    let parts = (0..of).map(|index| {
                        let mut part = order.clone();
                        part["segment"] = json!({ "index": index, "of": of });
                        tokio::time::timeout(patience, world.cloud.invoke("restore-service", part))
                    });
                    for part in futures_util::future::join_all(parts).await {
                        match part {
                            Err(_) => cut_off += 1,
                            // Two may meet at a thing that both would erase: it is asked for again.
                            Ok(done) => drop(done),
                        }
                    }
                } else if outcome["wait"] == false {
                    return (world, outcome, kills);
                }
            }
        }
        if cut_off > 0 {
            kills += cut_off;
            patience += patience / finely + Duration::from_micros(200);
            if kills % 7 == 3 {
                world = world.restarted(&[("RestoredAs", restored_as)]).await;
            }
        }
    }
}

/// Restores to a second and switches to that, killed on the way. What the new tables end in.
async fn restore_and_switch(world: World, to: Timestamp, kills: &mut u32) -> (World, String) {
    let (world, outcome, before) = through_kills(world, &order(to), "").await;
    assert_eq!(outcome["state"], "ready", "{outcome}");
    let planned = world.cloud.invoke("restore-service", json!({ "to": to, "reason": "drill" }));
    let restored_as = planned.await.unwrap()["restore"]["restored_as"].as_str().unwrap().to_owned();
    let world = world.restarted(&[("RestoredAs", &restored_as)]).await;
    let (world, outcome, after) = through_kills(world, &order(to), &restored_as).await;
    assert_eq!(outcome["state"], "done", "{outcome}");
    *kills += before + after;
    (world, restored_as)
}

/// On the service as it was too early, somebody gives the first appendix other bytes.
async fn replace_photo(world: &World, token: &str, upload_of: &(RecordId, String)) {
    let (record, appendix) = upload_of;
    let add = Call::to("POST /v1/records/{record_id}/appendices/{appendix_id}/versions");
    let add = add.later(runtime::now()).header("authorization", token);
    let add = add.path("record_id", &record.to_string()).path("appendix_id", appendix);
    let reserved = world.send(add).await;
    assert_eq!(reserved.status(), 201, "{reserved:?}");
    upload(&reserved.body()["upload"], SHARPER_PHOTO).await;
    world.cloud.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_the_second_is_there_after_all_of_it() {
    let world = Arc::new(World::with_record().await);
    world.upload_photo().await;
    world.cloud.run_evening(|_| {}).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> =
        (0..WRITERS).map(|_| tokio::spawn(write(world.clone(), stop.clone()))).collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let early = whole_second().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let late = whole_second().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    let mut log = Acknowledged::default();
    for writer in writers {
        let written = writer.await.unwrap();
        log.records.extend(written.records);
        log.uploads.extend(written.uploads);
        log.erased.extend(written.erased);
    }
    world.cloud.settle().await;
    let world = Arc::into_inner(world).unwrap();
    for table in TABLES {
        operator::empty_table(&world.cloud, table).await;
    }

    let mut kills = 0;
    let (world, _) = restore_and_switch(world, early, &mut kills).await;
    let token = log_in(&world).await;
    let first = log.uploads.iter().find(|it| it.3 <= early).unwrap();
    replace_photo(&world, &token, &(first.0, first.1.clone())).await;
    let world = world.restarted(&[("RestoredAs", "")]).await;
    let mut back = order(early);
    back["abandon"] = json!(true);
    let (world, outcome, taken_back) = through_kills(world, &back, "").await;
    assert_eq!(outcome["state"], "abandoned", "{outcome}");
    let (world, _) = restore_and_switch(world, late, &mut kills).await;
    kills += taken_back;
    check(&world, &log, late).await;
    assert!(kills > 20, "it was cut off {kills} times");
    println!("{kills} kills; {} records, {} uploads", log.records.len(), log.uploads.len());
}

async fn check(world: &World, log: &Acknowledged, late: Timestamp) {
    let token = log_in(world).await;
    let ask = |name: &str, record: &RecordId| {
        let call = Call::to(name).later(runtime::now()).header("authorization", &token);
        call.path("record_id", &record.to_string())
    };
    let erased: BTreeSet<RecordId> = log.erased.iter().map(|(record, _)| *record).collect();
    let mut statuses: BTreeMap<u64, u32> = BTreeMap::new();
    for (record, at) in log.records.iter().filter(|(_, at)| *at <= late) {
        let status = world.send(ask("GET /v1/records/{record_id}", record)).await.status();
        *statuses.entry(status).or_default() += 1;
        // One whose erasure was asked for and answered is gone, whenever that was.
        let right = if erased.contains(record) { 404 } else { 200 };
        assert_eq!(status, right, "{record}, answered at {at}");
    }
    assert!(statuses[&200] > 10 && statuses[&404] > 3, "{statuses:?}");
    let mut read = 0;
    for (record, appendix, bytes, at) in log.uploads.iter().filter(|it| it.3 <= late) {
        let link = world.send(ask(GET, record).path("appendix_id", appendix)).await;
        assert_eq!(link.status(), 200, "{record}/{appendix}, answered at {at}: {link:?}");
        let url = link.body()["download"]["url"].as_str().unwrap().to_owned();
        let found = reqwest::get(url).await.unwrap().bytes().await.unwrap();
        assert_eq!(found, *bytes, "{record}/{appendix}, answered at {at}");
        read += 1;
    }
    assert!(read > 10, "{read} uploads are from before the second");
    let evening = world.cloud.run_evening(|_| {}).await.unwrap();
    assert!(evening.verdicts.iter().all(|(_, verdict)| verdict == "SUCCESSFUL"), "{evening:?}");
}
