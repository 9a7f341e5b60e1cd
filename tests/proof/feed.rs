//! The feed under many writers, with transactions that meet, reads that see half of one, requests that are cut off, and a
//! restore of the service: each reader ends with exactly what there is, and never goes back.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::restore::{log_in, order, restore, switch, whole_second};
use testing::operator;
use testing::world::{Answer, Call, Person, World};

const WRITERS: u64 = 8;
const READERS: u64 = 3;
/// `CHANGES` says how many each writer makes: few in CI, 500 for a release. `SEED` repeats a run, as far as its tasks
/// can be made to meet again.
const IN_CI: u64 = 40;
/// As long as a transaction takes; far longer than on AWS, so that readers meet many in their midst.
const LASTS: Duration = Duration::from_millis(30);

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// By kind and id, the version of each thing, and whether it is deleted.
type Things = BTreeMap<String, (u64, bool)>;

/// What the tables have of customer A's records and files.
async fn stored(world: &World) -> Things {
    let customer = Person::A.customer().to_string();
    let items = operator::items(&world.cloud, "RECORDS_TABLE").await;
    let of_a = items.iter().filter(|it| it["pk"].as_s().is_ok_and(|pk| *pk == customer));
    let things = of_a.filter_map(|it| {
        let (kind, id) = it["sk"].as_s().ok()?.split_once('#')?;
        let version = it.get("version")?.as_n().ok()?.parse().ok()?;
        let is_thing = ["RECORD", "APPENDIX"].contains(&kind);
        is_thing.then(|| (id.to_owned(), (version, it.contains_key("deleted"))))
    });
    things.collect()
}

/// What a change of the feed is about, as [`stored`] has it.
fn told(change: &Value) -> Option<(String, (u64, bool))> {
    let text = |name: &str| change[name].as_str().unwrap_or_default();
    let kind = change["kind"].as_str().unwrap();
    let version = change["version"].as_u64().or(change["revision"].as_u64());
    let id = match kind {
        "record" | "record_deleted" => text("id").to_owned(),
        "appendix" => format!("{}#{}", text("record_id"), text("id")),
        "appendix_version" => format!(
            "{}#{}#{:04}",
            text("record_id"),
            text("appendix_id"),
            change["number"].as_u64().unwrap()
        ),
        _ => return None,
    };
    // A version of a file does not say how often it was changed: reserved, and then stored.
    let version = version.unwrap_or(if change["state"] == "stored" { 2 } else { 1 });
    Some((id, (version, kind.ends_with("deleted"))))
}

/// A device that follows the feed.
#[derive(Clone)]
struct Reader {
    token: Option<String>,
    cursor: String,
    things: Things,
}

impl Reader {
    /// Takes a cursor, and then lists everything.
    async fn new(world: &World, token: Option<&str>) -> Self {
        let mut reader =
            Self { token: token.map(str::to_owned), cursor: String::new(), things: Things::new() };
        let first = reader.poll(world).await;
        assert_eq!((first.status(), &first.body()["changes"]), (200, &json!([])));
        reader.cursor = first.body()["cursor"].as_str().unwrap().to_owned();
        let mut page = String::new();
        loop {
            let call = reader.call("GET /v1/records").query(&format!("limit=100{page}"));
            let found = world.send(call).await.body();
            for record in found["records"].as_array().unwrap() {
                let (id, version) = (record["id"].as_str(), record["version"].as_u64());
                reader.take(id.unwrap().to_owned(), (version.unwrap(), false));
            }
            match found["next_cursor"].as_str() {
                Some(next) => page = format!("&cursor={next}"),
                None => return reader,
            }
        }
    }

    fn call(&self, name: &str) -> Call {
        let call = Call::to(name).later(runtime::now());
        match &self.token {
            Some(token) => call.header("authorization", token),
            None => call,
        }
    }

    async fn poll(&self, world: &World) -> Answer {
        let call = self.call("GET /v1/changes");
        let cursor = (!self.cursor.is_empty()).then(|| format!("cursor={}", self.cursor));
        world.send(call.query(&cursor.unwrap_or_default())).await
    }

    /// A thing as it is now. What was listed while it was changed may come once more, and is not older then.
    fn take(&mut self, id: String, found: (u64, bool)) {
        let before = self.things.insert(id.clone(), found);
        assert!(
            before.is_none_or(|before| before.0 <= found.0),
            "{id}: {before:?}, then {found:?}"
        );
    }

    /// Reads on. Whether there was nothing.
    async fn read(&mut self, world: &World) -> bool {
        let answer = self.poll(world).await;
        assert_eq!(answer.status(), 200, "{answer:?}");
        let page = answer.body();
        let changes = page["changes"].as_array().unwrap();
        changes.iter().filter_map(told).for_each(|(id, found)| self.take(id, found));
        self.cursor = page["cursor"].as_str().unwrap().to_owned();
        changes.is_empty() && page["more"] == false
    }

    async fn read_to_the_end(&mut self, world: &World) {
        while !self.read(world).await {}
    }

    /// Follows until told to stop. Now and then it loses what it has read since some moment, as a device does that is
    /// switched off, and goes on from there.
    async fn follow(mut self, world: Arc<World>, stop: Arc<AtomicBool>, mut random: Rng) -> Self {
        let mut kept = self.clone();
        while !stop.load(Ordering::Relaxed) {
            self.read(&world).await;
            match random.u8(..20) {
                0 => self = kept.clone(),
                1 => kept = self.clone(),
                _ => {}
            }
            tokio::time::sleep(Duration::from_millis(random.u64(..8))).await;
        }
        self
    }
}

/// Records that writers know, with the version that they saw.
type Known = Arc<Mutex<Vec<(String, u64)>>>;

/// Makes changes, of its own records and those of others; some are cut off, and nobody knows whether they were made.
async fn write(world: Arc<World>, known: Known, writer: u64, changes: u64, seed: u64) {
    let mut random = Rng::with_seed(seed);
    for n in 0..changes {
        let some = {
            let known = known.lock().unwrap();
            (!known.is_empty()).then(|| known[random.usize(..known.len())].clone())
        };
        let key = format!("feed-{seed}-{writer}-{n}");
        let now = runtime::now();
        let call = |name: &str| Call::to(name).later(now).header("idempotency-key", &key);
        let of = |name: &str, (id, version): &(String, u64)| {
            call(name).path("record_id", id).header("if-match", &format!("\"{version}\""))
        };
        let body = json!({ "type": "note", "title": format!("{writer} {n}"), "fields": {} });
        let call = match (&some, random.u8(..10)) {
            (None, _) | (_, 0..4) => call("POST /v1/records").body(body),
            (Some(it), 4..8) => of("PUT /v1/records/{record_id}", it).body(body),
            (Some(it), 8) => of("POST /v1/records/{record_id}/appendices", it),
            (Some(it), _) => of("DELETE /v1/records/{record_id}", it),
        };
        let cut_off =
            Duration::from_millis(if random.u8(..8) == 0 { random.u64(..12) } else { 60_000 });
        let Ok(answer) = tokio::time::timeout(cut_off, world.send(call)).await else { continue };
        // 404: somebody has deleted it. 412: somebody was faster. 503: too many were.
        assert!([200, 201, 204, 404, 409, 412, 503].contains(&answer.status()), "{answer:?}");
        learn(&known, some.as_ref(), &answer);
        tokio::time::sleep(Duration::from_millis(random.u64(..4))).await;
    }
}

/// Notes what an answer says of a record.
fn learn(known: &Known, some: Option<&(String, u64)>, answer: &Answer) {
    let mut known = known.lock().unwrap();
    let body = answer.body();
    let place = some.and_then(|it| known.iter().position(|known| known.0 == it.0));
    match (answer.status(), place) {
        (200 | 201, place) if body["title"].is_string() => {
            let it = (body["id"].as_str().unwrap().to_owned(), body["version"].as_u64().unwrap());
            match place.filter(|place| known[*place].0 == it.0) {
                Some(place) => known[place] = it,
                None => known.push(it),
            }
        }
        (204 | 404, Some(place)) => {
            known.remove(place);
        }
        (412, Some(place)) => known[place].1 = body["current_version"].as_u64().unwrap_or(1),
        _ => {}
    }
}

async fn writers(world: &Arc<World>, known: &Known, changes: u64, seed: u64) {
    let writers = (0..WRITERS).map(|writer| {
        tokio::spawn(write(world.clone(), known.clone(), writer, changes, seed ^ (writer + 1)))
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_reader_ends_with_what_there_is_whatever_writers_do() {
    let changes = variable("CHANGES").unwrap_or(IN_CI);
    let seed = variable("SEED").unwrap_or_else(|| fastrand::u64(..1 << 52));
    println!("SEED={seed} CHANGES={changes}");
    let world = Arc::new(World::new().await);
    world.cloud.prolong_transactions(LASTS);
    let (known, stop) = (Known::default(), Arc::new(AtomicBool::new(false)));
    let mut readers = Vec::new();
    for reader in 0..READERS {
        let new = Reader::new(&world, None).await;
        let random = Rng::with_seed(seed.rotate_left(7) ^ reader);
        readers.push(tokio::spawn(new.follow(world.clone(), stop.clone(), random)));
    }
    writers(&world, &known, changes, seed).await;
    stop.store(true, Ordering::Relaxed);
    let expected = stored(&world).await;
    assert!(expected.len() as u64 > changes, "there is something to read: {}", expected.len());
    let mut followed = Vec::new();
    for reader in readers {
        let mut reader = reader.await.unwrap();
        reader.read_to_the_end(&world).await;
        assert_eq!(reader.things, expected);
        followed.push(reader);
    }
    println!("{} things, {} readers agree", expected.len(), followed.len());

    // Back to a second of before: all that was read may be wrong, and the service says so.
    world.cloud.prolong_transactions(Duration::ZERO);
    let to = whole_second().await;
    writers(&world, &known, 3, seed + 1).await;
    world.cloud.settle().await;
    let mut world = Arc::into_inner(world).unwrap();
    let outcome = restore(&world, &order(to)).await;
    world = switch(world, &outcome).await;
    assert_eq!(restore(&world, &order(to)).await["state"], "done");
    let token = log_in(&world).await;
    for reader in &mut followed {
        reader.token = Some(token.clone());
        let refused = reader.poll(&world).await;
        assert_eq!(refused.problem().0, 410);
        assert_eq!(refused.code(), "resync");
    }
    // It is as it was, but for what was deleted since.
    for (id, restored) in stored(&world).await.iter().filter(|(_, (_, deleted))| !deleted) {
        assert_eq!(expected.get(id), Some(restored), "{id}");
    }
    let mut again = Reader::new(&world, Some(&token)).await;
    let create = again.call("POST /v1/records").header("idempotency-key", "after-all");
    let created = world.send(create.without("id")).await;
    assert_eq!(created.status(), 201, "{created:?}");
    again.read_to_the_end(&world).await;
    let is_record = |it: &(&String, &(u64, bool))| !it.0.contains('#') && !it.1.1;
    let records = stored(&world).await;
    let records: Things =
        records.iter().filter(is_record).map(|(id, it)| (id.clone(), *it)).collect();
    assert_eq!(again.things, records);
    for reader in &followed {
        assert_eq!(reader.poll(&world).await.status(), 410, "an old cursor stays one");
    }
}
