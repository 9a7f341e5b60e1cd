//! The restore drill: load, a moment, everything destroyed, and the service put back to that moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::VersionNumber;
use domain::{Entropy as _, RecordId, Timestamp};
use runtime::OsEntropy;
use serde_json::{Value, json};
use store::operator::Segment;
use store::{ObjectKey, TableKind};

use testing::operator;
use testing::world::{Call, PHOTO, Person, World, appendix_id, event, record_id};

pub const TABLES: [&str; 4] = ["RECORDS_TABLE", "ACCOUNTS_TABLE", "LOGINS_TABLE", "SESSIONS_TABLE"];

/// A write that was answered: the record, its version, and when it was asked and answered.
#[derive(Clone, Copy, Debug)]
struct Acknowledged {
    record: RecordId,
    version: u64,
    asked: Timestamp,
    answered: Timestamp,
}

/// Creates records and changes them, until told to stop; what was acknowledged.
async fn write(world: Arc<World>, stop: Arc<AtomicBool>) -> Vec<Acknowledged> {
    let mut log = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let record = RecordId::new(runtime::now(), &OsEntropy);
        let asked = runtime::now();
        let create = Call::to("POST /v1/records").later(asked).with("id", json!(record));
        let create = create.header("idempotency-key", &format!("load-{record}"));
        assert_eq!(world.send(create).await.status(), 201);
        log.push(Acknowledged { record, version: 1, asked, answered: runtime::now() });
        for version in 2..=4 {
            let asked = runtime::now();
            let update = Call::to("PUT /v1/records/{record_id}").later(asked);
            let update = update.path("record_id", &record.to_string());
            let update = update.header("if-match", &format!("\"{}\"", version - 1));
            assert_eq!(world.send(update).await.status(), 200);
            log.push(Acknowledged { record, version, asked, answered: runtime::now() });
        }
    }
    log
}

pub async fn erase(world: &World, record: RecordId, version: u64) {
    let erase = Call::to("DELETE /v1/records/{record_id}").later(runtime::now());
    let erase = erase.path("record_id", &record.to_string());
    let erased = world.send(erase.header("if-match", &format!("\"{version}\""))).await;
    assert_eq!(erased.status(), 204, "{erased:?}");
}

/// The last whole second that is over.
pub async fn whole_second() -> Timestamp {
    let second = Timestamp::from_millis((runtime::now().seconds() + 1) * 1000);
    while runtime::now() <= second {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    second
}

/// Asks for a restore until it says that there is no more to wait for.
pub async fn restore(world: &World, event: &Value) -> Value {
    loop {
        let outcome = world.cloud.invoke("restore-service", event.clone()).await.unwrap();
        if outcome["wait"] == false {
            return outcome;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Has a restore cut off again and again, at any of its awaits, a little later each time, and the
/// whole cloud killed on the way.
async fn restore_through_kills(
    mut world: World,
    event: &Value,
    parameters: &[(&str, &str)],
) -> (World, Value) {
    let mut kills = 0;
    for patience in (1..).map(Duration::from_millis) {
        let asked = world.cloud.invoke("restore-service", event.clone());
        match tokio::time::timeout(patience, asked).await {
            Err(_) => kills += 1,
            Ok(outcome) => {
                let outcome = outcome.unwrap();
                if outcome["wait"] == false {
                    assert!(kills > 3, "it was cut off {kills} times");
                    return (world, outcome);
                }
            }
        }
        if kills % 7 == 3 {
            world = world.restarted(parameters).await;
        }
    }
    unreachable!("there is always a longer patience")
}

struct Drill {
    world: World,
    log: Vec<Acknowledged>,
    to: Timestamp,
    /// Erased before the moment, and after it.
    erased: [RecordId; 2],
}

/// Load, with a moment in the midst of it, then nothing is left.
async fn destroy() -> Drill {
    let world = Arc::new(World::with_record().await);
    world.upload_photo().await;
    let said = json!({ "text": "Is the hook cracked?", "mentions": [Person::A.user()] });
    let say = Call::to("POST /v1/records/{record_id}/comments").by(Person::Member).body(said);
    assert_eq!(world.send(say.later(runtime::now())).await.status(), 201);
    let wants = Call::to("PUT /v1/inbox/mail").body(json!({ "daily": true }));
    assert_eq!(world.send(wants.later(runtime::now())).await.status(), 204);
    world.cloud.run_evening(|_| {}).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> =
        (0..4).map(|_| tokio::spawn(write(world.clone(), stop.clone()))).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut erased = [RecordId::new(runtime::now(), &OsEntropy); 2];
    for (place, record) in erased.iter_mut().enumerate() {
        let create = Call::to("POST /v1/records").later(runtime::now());
        let create = create.header("idempotency-key", &format!("erased-{place}"));
        let made = world.send(create.with("id", json!(null))).await;
        let made = if made.status() == 201 { made } else { panic!("{made:?}") };
        *record = made.body()["id"].as_str().unwrap().parse().unwrap();
    }
    erase(&world, erased[0], 1).await;
    let mut jitter = [0];
    OsEntropy.fill(&mut jitter);
    tokio::time::sleep(Duration::from_millis(u64::from(jitter[0]))).await;
    let to = whole_second().await;
    erase(&world, erased[1], 1).await;
    // A version of the appendix that comes after the moment.
    let later = Call::to("POST /v1/records/{record_id}/appendices/{appendix_id}/versions")
        .later(runtime::now());
    let reserved = world.send(later).await;
    assert_eq!(reserved.status(), 201, "{reserved:?}");
    upload(&reserved.body()["upload"], testing::world::SHARPER_PHOTO).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    let mut log = Vec::new();
    for writer in writers {
        log.extend(writer.await.unwrap());
    }
    world.cloud.settle().await;
    let world = Arc::into_inner(world).unwrap();
    for table in TABLES {
        operator::empty_table(&world.cloud, table).await;
    }
    Drill { world, log, to, erased }
}

pub async fn upload(upload: &Value, bytes: &[u8]) {
    let headers = upload["headers"].as_object().unwrap().iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
    let put = testing::world::put(upload["url"].as_str().unwrap(), headers, bytes.to_vec());
    assert_eq!(put.await.status(), 200);
}

/// A new session, since a restore ends all of them.
pub async fn log_in(world: &World) -> String {
    let ended = world.send(Call::to("GET /v1/records/{record_id}").later(runtime::now())).await;
    assert_eq!(ended.status(), 401, "sessions do not outlive a restore");
    let login = Call::to("POST /v1/sessions").later(runtime::now());
    let login = world.send(login.header("idempotency-key", "after")).await;
    assert_eq!(login.status(), 201, "{login:?}");
    format!("Bearer {}", login.body()["token"].as_str().unwrap())
}

async fn check(drill: Drill) {
    let Drill { world, log, to, erased } = drill;
    let token = log_in(&world).await;
    let ask = |name: &str| Call::to(name).later(runtime::now()).header("authorization", &token);
    let mut expected: BTreeMap<RecordId, u64> = BTreeMap::new();
    let mut possible: BTreeMap<RecordId, u64> = BTreeMap::new();
    for it in &log {
        if it.answered <= to {
            expected.insert(it.record, it.version);
        }
        if it.asked <= to {
            possible.insert(it.record, it.version);
        }
    }
    assert!(expected.len() > 3 && expected.len() < log.len() / 4, "the moment is in the midst");
    for record in log.iter().map(|it| it.record) {
        let answer = world
            .send(ask("GET /v1/records/{record_id}").path("record_id", &record.to_string()))
            .await;
        let found = answer.body()["version"].as_u64();
        let least = expected.get(&record).copied();
        let most = possible.get(&record).copied();
        assert!(found >= least, "{record}: {least:?} was acknowledged, {found:?} is there");
        assert!(found <= most, "{record}: {found:?} is there, {most:?} was asked for by then");
    }
    for record in erased {
        let answer = world
            .send(ask("GET /v1/records/{record_id}").path("record_id", &record.to_string()))
            .await;
        assert_eq!(answer.status(), 404, "what was erased stays erased");
    }
    // What was said is found, who was told is told again, and who wanted a mail wants it.
    let found = world.send(ask("GET /v1/records").query("words=cracked")).await.body();
    assert_eq!(found["records"][0]["id"], json!(record_id()), "{found}");
    let inbox = world.send(ask("GET /v1/inbox")).await.body();
    let reasons: Vec<&Value> =
        inbox["notices"].as_array().unwrap().iter().map(|it| &it["reason"]).collect();
    assert_eq!(
        (reasons, &inbox["daily_mail"]),
        (vec![&json!("mentioned")], &json!(true)),
        "{inbox}"
    );
    // Bytes from before are there; those from after are set aside, and make room for others.
    let list = world.send(ask("GET /v1/records/{record_id}/appendices")).await.body();
    assert_eq!(list["appendices"][0]["versions"].as_array().unwrap().len(), 1, "{list}");
    let link = world.send(ask("GET /v1/records/{record_id}/appendices/{appendix_id}")).await.body();
    let bytes = reqwest::get(link["download"]["url"].as_str().unwrap()).await.unwrap();
    assert_eq!(bytes.bytes().await.unwrap(), PHOTO);
    let reserved = world
        .send(
            ask("POST /v1/records/{record_id}/appendices/{appendix_id}/versions")
                .header("idempotency-key", "v2"),
        )
        .await;
    assert_eq!(reserved.body()["versions"][0]["number"], 2, "{reserved:?}");
    upload(&reserved.body()["upload"], testing::world::SHARPER_PHOTO).await;
    world.cloud.settle().await;

    for kind in [TableKind::Records, TableKind::Accounts, TableKind::Logins, TableKind::Sessions] {
        let table = world.operator.table_name(kind);
        let state = world.operator.table_state(table).await.unwrap().unwrap();
        assert!(table.ends_with('Z'), "{table} is a restored one");
        assert!(state.active && state.deletion_protected, "{state:?}");
        assert_eq!(state.recovery.map(|it| it.days), Some(35), "{state:?}");
        assert_eq!(state.expires, kind.expires(), "{state:?}");
    }
    let audit = world.cloud.invoke("audit-backups", json!({})).await.unwrap();
    assert_eq!(audit["broken"], json!([]));
    let policy = world.send(Call::to("GET /v1/policy").later(runtime::now())).await.body();
    let restores = &policy["rows"][9]["evidence"]["restores"];
    assert_eq!(restores, &json!([{ "to": to }]));
    // The restored service is backed up as the one before.
    let evening = world.cloud.run_evening(|_| {}).await.unwrap();
    assert!(evening.failed.is_empty(), "{evening:?}");
    assert!(evening.verdicts.iter().all(|(_, verdict)| verdict == "SUCCESSFUL"), "{evening:?}");
}

pub fn order(to: Timestamp) -> Value {
    json!({ "to": to, "reason": "drill", "execute": true })
}

pub async fn switch(world: World, outcome: &Value) -> World {
    assert_eq!(outcome["state"], "ready", "{outcome}");
    let suffix = outcome["restore"]["restored_as"].as_str().unwrap().to_owned();
    assert!(outcome["next"].as_str().unwrap().contains(&format!("RestoredAs={suffix}")));
    world.restarted(&[("RestoredAs", &suffix)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_comes_back_as_it_was_at_a_second_under_load() {
    let mut drill = destroy().await;
    let plan = json!({ "to": drill.to, "reason": "drill" });
    let planned = restore(&drill.world, &plan).await;
    assert!(planned["state"].is_null() && planned["next"].as_str().unwrap().contains("execute"));
    assert_eq!(operator::documents(&drill.world.cloud, "RESTORES", "RESTORE#").await.len(), 0);
    let outcome = restore(&drill.world, &order(drill.to)).await;
    drill.world = switch(drill.world, &outcome).await;
    let outcome = restore(&drill.world, &order(drill.to)).await;
    assert_eq!(outcome["state"], "done", "{outcome}");
    assert_eq!(outcome["restore"]["set_aside"], 1);
    assert_eq!(outcome["restore"]["erased_again"], 1);
    check(drill).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_at_any_step_goes_on_to_the_same_end() {
    let mut drill = destroy().await;
    let order = order(drill.to);
    let (world, outcome) = restore_through_kills(drill.world, &order, &[]).await;
    let restored_as = outcome["restore"]["restored_as"].as_str().unwrap().to_owned();
    let world = switch(world, &outcome).await;
    let switched = [("RestoredAs", restored_as.as_str())];
    let (world, outcome) = restore_through_kills(world, &order, &switched).await;
    assert_eq!(outcome["state"], "done", "{outcome}");
    drill.world = world;
    check(drill).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_hidden_come_back_from_the_bucket_itself() {
    let world = World::with_record().await;
    world.upload_photo().await;
    world.cloud.run_evening(|_| {}).await.unwrap();
    let to = whole_second().await;
    let session = world.session(Person::A).await;
    let key = ObjectKey::new(&session.customer, record_id(), appendix_id(), VersionNumber::FIRST);
    operator::hide_object(&world.cloud, &key.to_string()).await;
    let outcome = restore(&world, &order(to)).await;
    let world = switch(world, &outcome).await;
    assert_eq!(outcome["restore"]["dangling"]["count"], 0, "{outcome}");
    assert!(outcome["restore"]["bucket_copy"].is_null(), "{outcome}");
    restore(&world, &order(to)).await;
    let token = log_in(&world).await;
    let ask = Call::to("GET /v1/records/{record_id}/appendices/{appendix_id}")
        .later(runtime::now())
        .header("authorization", &token);
    let link = world.send(ask).await.body();
    let bytes = reqwest::get(link["download"]["url"].as_str().unwrap()).await.unwrap();
    assert_eq!(bytes.bytes().await.unwrap(), PHOTO);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_or_must_not_be_restored_is_refused_with_the_reason() {
    let world = World::with_record().await;
    let refused = async |event: Value| {
        world.cloud.invoke("restore-service", event).await.unwrap_err().to_string()
    };
    let second = whole_second().await;
    let erased = event("backups/restore_service/customer_erased");
    assert!(refused(erased).await.contains("what a customer has erased is not restored"));
    let early = refused(event("backups/restore_service/plan")).await;
    assert!(early.contains("to is 2026-01-15T16:59:30.000Z, and must be from "), "{early}");
    let ahead = second.after(Duration::from_secs(3600));
    assert!(refused(order(ahead)).await.contains("and must be from"));
    let fraction = second.before(Duration::from_millis(1));
    assert!(refused(order(fraction)).await.contains("must be a whole second"));
    for (event, what) in [
        (json!({ "reason": "drill" }), "missing field `to`"),
        (json!({ "to": second }), "missing field `reason`"),
        (json!({ "to": second, "reason": "mood" }), "unknown variant `mood`"),
        (json!({ "to": second, "reason": "drill", "exceute": true }), "unknown field `exceute`"),
        (json!({ "to": second, "reason": "drill", "abandon": true }), "no restore to abandon"),
    ] {
        let said = refused(event).await;
        assert!(said.contains(what), "{said}");
    }
    // One restore at a time.
    restore(&world, &order(second)).await;
    let other = whole_second().await;
    assert!(refused(order(other)).await.contains("go on with it, or abandon it"));
    let mut abandon = order(second);
    abandon["abandon"] = json!(true);
    assert_eq!(restore(&world, &abandon).await["state"], "abandoned");
    assert_eq!(restore(&world, &order(other)).await["state"], "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_cut_in_two_is_made_whole_from_either_half() {
    let world = World::with_record().await;
    assert_eq!(world.ask("PUT /v1/records/{record_id}").await.status(), 200);
    let customer = world.session(Person::A).await.customer.id().to_string();
    let record = format!("RECORD#{}", record_id());
    let whole = operator::items(&world.cloud, "RECORDS_TABLE").await;
    for half in [record.clone(), format!("REVISION#{record}#0000000002")] {
        operator::delete_item(&world.cloud, "RECORDS_TABLE", &customer, &half).await;
        assert_eq!(
            backup::mend(&world.operator, TableKind::Records, Segment::WHOLE).await.unwrap(),
            1,
            "{half}"
        );
        let mended = operator::items(&world.cloud, "RECORDS_TABLE").await;
        assert_eq!(mended, whole, "{half}");
        assert_eq!(
            backup::mend(&world.operator, TableKind::Records, Segment::WHOLE).await.unwrap(),
            0
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_calls_at_the_same_time_none_undoes_another() {
    let world = World::with_record().await;
    let order = order(whole_second().await);
    let calls = (0..4).map(|_| world.cloud.invoke("restore-service", order.clone()));
    for outcome in futures_util::future::join_all(calls).await {
        let said = match outcome {
            Ok(outcome) => outcome["state"].as_str().unwrap().to_owned(),
            Err(error) => error.to_string(),
        };
        let fine = ["filling", "erased", "attached", "ready"].contains(&said.as_str())
            || said.contains("another call is at this restore");
        assert!(fine, "{said}");
    }
    assert_eq!(restore(&world, &order).await["state"], "ready");
    assert_eq!(operator::documents(&world.cloud, "RESTORES", "RESTORE#").await.len(), 1);
}
