//! The six figures of the overview: each is what its list has.

use std::time::Duration;

use domain::{RecordId, TimeZone};
use serde_json::{Value, json};

use crate::find::find;
use testing::world::{Call, Person, World};

async fn figures(world: &World, query: &str) -> Vec<(String, u64, bool, String)> {
    let answer = world.send(Call::to("GET /v1/overview").query(query)).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    let figures = answer.body()["figures"].clone();
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    let figure = |it: &Value| {
        let (count, more) = (it["count"].as_u64().unwrap(), it["more"].as_bool().unwrap());
        (text(&it["name"]), count, more, text(&it["filter"]))
    };
    figures.as_array().unwrap().iter().map(figure).collect()
}

async fn make(world: &World, key: &str, body: Value) -> Value {
    let mut body = body;
    body["type"] = json!("deviation");
    body["title"] = json!(key);
    let call = Call::to("POST /v1/records").header("idempotency-key", key).body(body);
    let made = world.send(call).await;
    assert_eq!(made.status(), 201, "{made:?}");
    made.body()
}

#[tokio::test]
async fn each_figure_counts_what_its_filter_lists() {
    let world = World::new().await;
    let me = Person::A.user();
    let day = |zone: &str| zone.parse::<TimeZone>().unwrap().day(world.now);
    let days_ago = |days: u64| world.now.before(Duration::from_secs(days * 24 * 60 * 60));
    let yesterday = TimeZone::default().day(days_ago(1));
    make(&world, "nobody", json!({})).await;
    make(&world, "mine", json!({ "assignees": [me] })).await;
    make(&world, "late", json!({ "assignees": [Person::Member.user()], "due": yesterday })).await;
    make(&world, "for-today", json!({ "assignees": [me], "due": day("UTC") })).await;
    let done = json!({ "state": "done", "fields": { "action": "x" }, "due": "2026-01-01" });
    let done = make(&world, "done", done).await;
    assert_eq!(done["closed_at"], done["created_at"], "it was closed when it was made");
    // Made three weeks ago, on a phone that comes only now.
    make(&world, "old", json!({ "id": RecordId::first_of(days_ago(21)), "assignees": [me] })).await;
    let found = figures(&world, "").await;
    let counts: Vec<(&str, u64)> = found.iter().map(|it| (it.0.as_str(), it.1)).collect();
    let expected =
        [("open", 5), ("mine", 3), ("overdue", 1), ("new", 5), ("closed", 1), ("unassigned", 1)];
    assert_eq!(counts, expected);
    for (name, count, more, filter) in found {
        let listed = find(&world, &format!("limit=2&{filter}")).await;
        assert_eq!((listed.len() as u64, more), (count, false), "{name}: {filter}");
    }
    // Where it is tomorrow already, what is for today is late.
    let zone = "Pacific/Kiritimati";
    let there = figures(&world, &format!("time_zone={zone}")).await;
    let late = 1 + u64::from(day(zone) > day("UTC"));
    assert_eq!((there[2].1, &there[2].3), (late, &format!("due_before={}", day(zone))));
    let nowhere = world.send(Call::to("GET /v1/overview").query("time_zone=Mars/Olympus")).await;
    assert_eq!(nowhere.problem(), (422, "invalid_field".into(), "?time_zone".into()));
}

#[tokio::test]
async fn a_record_is_closed_when_it_first_is_and_not_when_it_is_touched_again() {
    let world = World::new().await;
    let made = make(&world, "crack", json!({ "fields": { "action": "x" } })).await;
    assert_eq!(made["closed_at"], Value::Null);
    let patch = |body: Value, seen: u64| {
        let now = world.now.after(Duration::from_secs(seen));
        let call = Call::to("PATCH /v1/records/{record_id}")
            .path("record_id", made["id"].as_str().unwrap());
        call.header("if-match", &format!("\"{seen}\"")).body(body).later(now)
    };
    let closed = world.send(patch(json!({ "state": "done" }), 1)).await.body();
    assert_eq!(closed["closed_at"], closed["changed_at"], "{closed}");
    let touched = world.send(patch(json!({ "title": "a crack" }), 2)).await.body();
    assert_eq!(touched["closed_at"], closed["closed_at"]);
    let opened = world.send(patch(json!({ "state": "in_progress" }), 3)).await.body();
    assert_eq!(opened["closed_at"], Value::Null, "{opened}");
    assert_eq!(find(&world, "order=closed").await, Vec::<String>::new());
    // As it was while it was closed: that is now.
    let again = Call::to("POST /v1/records/{record_id}/restorations")
        .path("record_id", made["id"].as_str().unwrap());
    let now = world.now.after(Duration::from_secs(240));
    let again = again.header("if-match", "\"4\"").header("idempotency-key", "again");
    let again = world.send(again.body(json!({ "version": 3 })).later(now)).await.body();
    assert_eq!(again["closed_at"], again["changed_at"], "{again}");
    assert_eq!(find(&world, "order=closed").await.len(), 1);
}

#[tokio::test]
async fn nothing_is_counted_beyond_a_thousand() {
    let world = World::new().await;
    make(&world, "one", json!({})).await;
    let items = testing::operator::items(&world.cloud, "INDEX_TABLE").await;
    let ends = |it: &&testing::forge::Item| it["pk"].as_s().unwrap().ends_with("#open");
    let place = items.iter().find(ends).unwrap().clone();
    for n in 0..1_000 {
        let mut item = place.clone();
        let key =
            format!("LIST#changed#{:013}#01KEZ{n:05}RECRDCCCCCCCCCCC", 1_768_000_000_000_u64 + n);
        testing::forge::set_text(&mut item, "sk", &key);
        testing::operator::put_item(&world.cloud, "INDEX_TABLE", item).await;
    }
    let open = &figures(&world, "").await[0];
    assert_eq!((open.0.as_str(), open.1, open.2), ("open", 1_000, true));
}
