//! Finding records: every list and search against a model that is computed aside, while records change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::{Record, words};
use futures_util::future::join_all;
use serde_json::{Value, json};

use testing::world::{Call, Person, World};

/// `RECORDS` says how many: few in CI, ten thousand for a release. `SEED` repeats a run.
const IN_CI: u64 = 150;
const WRITERS: u64 = 5;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Pages are read to their end, and none is empty without a cursor.
pub async fn find(world: &World, query: &str) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    for _ in 0..100_000 {
        let call = Call::to("GET /v1/records").query(&format!("{query}{cursor}"));
        let answer = world.send(call).await;
        assert_eq!(answer.status(), 200, "{query}: {answer:?}");
        let page = answer.body();
        let records = page["records"].as_array().unwrap().clone();
        found.extend(records.iter().map(|it| it["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
    panic!("{query}: no end");
}

const WORDS: [&str; 12] = [
    "Läckage",
    "pump",
    "Pumpa",
    "brake",
    "cylinder",
    "SKF6205-2RS",
    "M8",
    "weld",
    "Straße",
    "motor",
    "oil",
    "3",
];
const ASKED: [&str; 16] = [
    "läck",
    "PUMP",
    "pump",
    "pumpa",
    "skf",
    "6205",
    "skf6205",
    "skf62052rs",
    "2rs",
    "m8",
    "strasse",
    "oil weld",
    "pump motor",
    "zzz",
    "cyl",
    "3",
];

/// What was said about a record, beside it in the model.
const SAID: &str = "said";

/// What a record is found by, as it was answered last.
type Model = BTreeMap<String, Value>;

fn matches(record: &Value, asked: &str) -> bool {
    let content: Record = serde_json::from_value(record.clone()).unwrap();
    let mut has = words::of_record(&content);
    for comment in record[SAID].as_object().unwrap().values() {
        has.extend(words::of_comment(&serde_json::from_value(comment.clone()).unwrap()));
    }
    words::query(asked).unwrap().iter().all(|start| {
        has.iter().any(|word| {
            if start.chars().count() < 3 { word == start } else { word.starts_with(start.as_str()) }
        })
    })
}

fn expected(model: &Model, by: &str, fits: impl Fn(&Value) -> bool) -> Vec<String> {
    let mut found: Vec<(&Value, &String)> =
        model.iter().filter(|(_, it)| fits(it)).map(|(id, it)| (&it[by], id)).collect();
    found.sort_by_key(|(at, id)| (at.as_str().unwrap().to_owned(), (*id).clone()));
    found.into_iter().rev().map(|(_, id)| id.clone()).collect()
}

async fn assert_all_found(world: &World, model: &Model, machine: &str) {
    let user = Person::A.user().to_string();
    let is_open = |it: &Value| it["open"] == true;
    let changed = |fits: &dyn Fn(&Value) -> bool| expected(model, "changed_at", fits);
    let limit = "limit=7";
    for kind in ["deviation", "service_order", "machine", "idea"] {
        let of_type = |it: &Value| it["type"] == kind;
        assert_eq!(find(world, &format!("{limit}&type={kind}")).await, changed(&of_type));
        let open = find(world, &format!("{limit}&type={kind}&state=open")).await;
        assert_eq!(open, changed(&|it| of_type(it) && is_open(it)));
    }
    let any = find(world, "limit=100&order=changed").await;
    assert_eq!(any, changed(&|_| true));
    let mut backwards = find(world, "limit=9&order=changed&direction=ascending").await;
    backwards.reverse();
    assert_eq!(backwards, any);
    assert_eq!(find(world, &format!("{limit}&state=open")).await, changed(&is_open));
    for state in ["reported", "in_progress", "done"] {
        let query = format!("{limit}&type=deviation&state={state}");
        let fits = |it: &Value| it["type"] == "deviation" && it["state"] == state;
        assert_eq!(find(world, &query).await, changed(&fits));
    }
    let mine =
        |it: &Value| it["assignees"].as_array().is_some_and(|all| all.contains(&json!(user)));
    assert_eq!(find(world, &format!("{limit}&assignee={user}")).await, changed(&mine));
    let open = find(world, &format!("{limit}&assignee={user}&state=open&type=deviation")).await;
    assert_eq!(open, changed(&|it| mine(it) && is_open(it) && it["type"] == "deviation"));
    let about = |it: &Value| it["about"] == machine;
    assert_eq!(find(world, &format!("{limit}&about={machine}")).await, changed(&about));
    let due = |it: &Value| {
        it["due"].as_str().is_some_and(|due| due < "2026-06-15") && it["open"] != false
    };
    let mut by_due = expected(model, "due", due);
    by_due.reverse();
    assert_eq!(find(world, &format!("{limit}&due_before=2026-06-15")).await, by_due);
    let nobody = |it: &Value| is_open(it) && it["assignees"].as_array().is_none_or(Vec::is_empty);
    assert_eq!(find(world, &format!("{limit}&assignee=nobody&state=open")).await, changed(&nobody));
    let closed = expected(model, "closed_at", |it| it["closed_at"].is_string());
    assert_eq!(find(world, &format!("{limit}&order=closed")).await, closed);
    if let Some(middle) = closed.get(closed.len() / 2) {
        let since = model[middle]["closed_at"].as_str().unwrap();
        let later = |id: &&String| model[*id]["closed_at"].as_str().unwrap() >= since;
        let later: Vec<String> = closed.iter().filter(later).cloned().collect();
        assert_eq!(find(world, &format!("{limit}&closed_since={since}")).await, later);
    }
    let times: Vec<&str> = model.values().map(|it| it["changed_at"].as_str().unwrap()).collect();
    let since = times[times.len() / 2];
    let newer = changed(&|it| it["changed_at"].as_str().unwrap() >= since);
    assert_eq!(find(world, &format!("{limit}&changed_since={since}")).await, newer);
    let mut by_id: Vec<String> = model.keys().cloned().collect();
    assert_eq!(find(world, "limit=11&direction=ascending").await, by_id);
    by_id.reverse();
    assert_eq!(find(world, "limit=100").await, by_id);
    let made_at = |id: &str| id.parse::<domain::RecordId>().unwrap().made_at();
    let since = made_at(&by_id[by_id.len() / 2]);
    let new: Vec<String> = by_id.iter().filter(|id| made_at(id) >= since).cloned().collect();
    assert_eq!(find(world, &format!("{limit}&created_since={since}")).await, new);
    let figures = world.send(Call::to("GET /v1/overview")).await.body();
    for figure in figures["figures"].as_array().unwrap() {
        let listed =
            find(world, &format!("limit=100&{}", figure["filter"].as_str().unwrap())).await;
        let counted = (listed.len().min(1_000), listed.len() > 1_000);
        assert_eq!((&figure["count"], &figure["more"]), (&json!(counted.0), &json!(counted.1)));
    }
    for asked in ASKED {
        let query = asked.replace(' ', "%20");
        let found: Vec<String> =
            by_id.iter().filter(|id| matches(&model[*id], asked)).cloned().collect();
        assert_eq!(find(world, &format!("limit=5&words={query}")).await, found, "{asked}");
        let open = found.iter().filter(|id| is_open(&model[*id])).cloned().collect::<Vec<_>>();
        let filtered = find(world, &format!("limit=5&state=open&words={query}")).await;
        assert_eq!(filtered, open, "{asked}, of the open ones");
    }
}

fn body(random: &mut fastrand::Rng, machine: &str) -> Value {
    let kind = random.choice(["deviation", "service_order", "machine", "idea"]).unwrap();
    let title: Vec<&str> =
        (0..random.usize(1..5)).map(|_| *random.choice(&WORDS).unwrap()).collect();
    let mut body = json!({ "type": kind, "title": title.join(" "), "fields": {} });
    let text: Vec<&str> =
        (0..random.usize(0..4)).map(|_| *random.choice(&WORDS).unwrap()).collect();
    if kind == "deviation" || kind == "service_order" {
        body["fields"]["description"] = json!(text.join(", "));
    }
    if kind == "deviation" {
        body["fields"]["action"] = json!("done");
        body["state"] = json!(*random.choice(&["reported", "in_progress", "done"]).unwrap());
    }
    if random.bool() {
        body["assignees"] = json!([Person::A.user()]);
    }
    if random.bool() {
        body["due"] = json!(format!("2026-06-{:02}", random.u8(1..30)));
    }
    if random.bool() {
        body["about"] = json!(machine);
    }
    body
}

/// Makes records, and of three that are made changes one; of ten, it deletes one.
async fn write(world: &World, writer: u64, seed: u64, records: u64, machine: &str) -> Model {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut model, mut tick) = (Model::new(), 0);
    for n in 0..records {
        tick += random.u64(0..3);
        let now = world.now.after(Duration::from_millis(tick));
        let key = format!("find-{writer}-{n}");
        let call = Call::to("POST /v1/records").header("idempotency-key", &key);
        let made = world.send(call.body(body(&mut random, machine)).later(now)).await;
        assert_eq!(made.status(), 201, "{made:?}");
        let mut made = made.body();
        made[SAID] = json!({});
        model.insert(made["id"].as_str().unwrap().to_owned(), made);
        let ids: Vec<String> = model.keys().cloned().collect();
        let id = random.choice(&ids).unwrap();
        let seen = format!("\"{}\"", model[id]["version"]);
        let later = now.after(Duration::from_millis(1));
        tick += 1;
        if random.u8(0..3) == 0 {
            let mut patch = body(&mut random, machine);
            patch["type"] = model[id]["type"].clone();
            patch["fields"] = json!({});
            patch.as_object_mut().unwrap().remove("state");
            for member in ["assignees", "due", "about"] {
                patch.as_object_mut().unwrap().entry(member).or_insert(Value::Null);
            }
            let call = Call::to("PATCH /v1/records/{record_id}").path("record_id", id);
            let changed = world.send(call.header("if-match", &seen).body(patch).later(later)).await;
            assert_eq!(changed.status(), 200, "{changed:?}");
            let mut changed = changed.body();
            changed[SAID] = model[id][SAID].clone();
            model.insert(id.clone(), changed);
        } else if random.u8(0..10) == 0 {
            let call = Call::to("DELETE /v1/records/{record_id}").path("record_id", id);
            let gone = world.send(call.header("if-match", &seen).later(later)).await;
            assert_eq!(gone.status(), 204);
            model.remove(id);
        } else if random.bool() {
            let said = say(world, &mut random, id, &model[id][SAID], later, &key).await;
            model.get_mut(id).unwrap()[SAID] = said;
        }
    }
    model
}

/// Says something about a record, or what was said in other words, or takes that back: all that is said about it then.
async fn say(
    world: &World,
    random: &mut fastrand::Rng,
    record: &str,
    said: &Value,
    now: domain::Timestamp,
    key: &str,
) -> Value {
    let mut said = said.clone();
    let text: Vec<&str> =
        (0..random.usize(1..4)).map(|_| *random.choice(&WORDS).unwrap()).collect();
    let body = json!({ "text": text.join(" ") });
    let first = said.as_object().unwrap().iter().next();
    let first = first.map(|(id, it)| (id.clone(), format!("\"{}\"", it["version"])));
    let to = |name: &str| Call::to(name).path("record_id", record).later(now);
    let of = "/v1/records/{record_id}/comments/{comment_id}";
    match first.filter(|_| random.bool()) {
        None => {
            let call = to("POST /v1/records/{record_id}/comments").body(body);
            let made = world.send(call.header("idempotency-key", &format!("say-{key}"))).await;
            assert_eq!(made.status(), 201, "{made:?}");
            let id = made.body()["id"].as_str().unwrap().to_owned();
            said[id] = made.body();
        }
        Some((id, seen)) if random.bool() => {
            let call = to(&format!("PUT {of}")).path("comment_id", &id).body(body);
            let edited = world.send(call.header("if-match", &seen)).await;
            assert_eq!(edited.status(), 200, "{edited:?}");
            said[id] = edited.body();
        }
        Some((id, seen)) => {
            let call = to(&format!("DELETE {of}")).path("comment_id", &id);
            assert_eq!(world.send(call.header("if-match", &seen)).await.status(), 204);
            said.as_object_mut().unwrap().remove(&id);
        }
    }
    said
}

async fn read(world: &World, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        for (query, fits) in [
            ("limit=100&state=open", &(|it: &Value| it["open"] == true) as &dyn Fn(&Value) -> bool),
            ("limit=100&type=deviation", &|it| it["type"] == "deviation"),
        ] {
            let page = world.send(Call::to("GET /v1/records").query(query)).await.body();
            let records = page["records"].as_array().unwrap();
            let ids: BTreeSet<&str> = records.iter().map(|it| it["id"].as_str().unwrap()).collect();
            assert_eq!(ids.len(), records.len(), "{query}");
            assert!(records.iter().all(fits), "{query}");
        }
        // What they say of themselves is not all that they are found by.
        let query = "limit=100&words=pump%20weld";
        let found = world.send(Call::to("GET /v1/records").query(query)).await.body();
        let records = found["records"].as_array().unwrap();
        let ids: BTreeSet<&str> = records.iter().map(|it| it["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), records.len(), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_and_search_is_as_a_model_says_while_records_change() {
    let seed = variable("SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let world = World::new().await;
    let machine = "01KEZ00000MACHNEAAAAAAAAAA";
    let records = variable("RECORDS").unwrap_or(IN_CI);
    let writers = (0..WRITERS).map(|writer| {
        let seed = random.u64(..);
        write(&world, writer, seed, records / WRITERS, machine)
    });
    // Who reads meanwhile finds nothing twice on a page, and nothing that does not fit.
    let is_over = AtomicBool::new(false);
    let write = async {
        let models = join_all(writers).await;
        is_over.store(true, Ordering::Relaxed);
        models
    };
    let (models, ()) = tokio::join!(write, read(&world, &is_over));
    let model: Model = models.into_iter().flatten().collect();
    assert_all_found(&world, &model, machine).await;
    // Another customer finds none of it.
    for query in ["words=pump", "type=deviation", "state=open", "order=changed", "order=due"] {
        let theirs = world.send(Call::to("GET /v1/records").query(query).by(Person::B)).await;
        assert_eq!(theirs.body()["records"], json!([]), "{query}");
    }
    // The index is derived: lost, it is made again to the item.
    let before = index(&world).await;
    lose(&world, "INDEX_TABLE", |_| true).await;
    assert_eq!(find(&world, "order=changed").await, Vec::<String>::new());
    lose(&world, "RECORDS_TABLE", |sort| sort.starts_with("COUNTER#")).await;
    world.cloud.invoke("build-index", json!({})).await.unwrap();
    assert_eq!(index(&world).await, before);
    assert_all_found(&world, &model, machine).await;
    // And no number is given twice.
    let next = Call::to("POST /v1/records").header("idempotency-key", "after");
    let next = world.send(next.body(json!({ "type": "deviation", "title": "x" }))).await.body();
    let number = |it: &Value| it["number"].as_str().map(ToOwned::to_owned);
    let numbers: BTreeSet<String> = model.values().filter_map(number).collect();
    assert!(!numbers.contains(&number(&next).unwrap()));
}

/// Deletes items of a table by their sort keys.
pub async fn lose(world: &World, table: &str, is_lost: impl Fn(&str) -> bool) {
    for item in testing::operator::items(&world.cloud, table).await {
        let key = |name: &str| item[name].as_s().unwrap().clone();
        if is_lost(&key("sk")) {
            testing::operator::delete_item(&world.cloud, table, &key("pk"), &key("sk")).await;
        }
    }
}

/// Every item of the index but what says when it was made, and the feed, which is not made again.
pub async fn index(world: &World) -> BTreeSet<String> {
    let items = testing::operator::items(&world.cloud, "INDEX_TABLE").await;
    let shown = items.into_iter().map(|item| {
        let sorted: BTreeMap<String, String> =
            item.into_iter().map(|(name, value)| (name, format!("{value:?}"))).collect();
        format!("{sorted:?}")
    });
    shown.filter(|it| !it.contains("BUILT") && !it.contains("#lane#")).collect()
}
