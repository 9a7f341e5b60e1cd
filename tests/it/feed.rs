//! The feed of changes as a device uses it: where to begin, what it tells to whom, and what a device sends that was away.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use testing::operator;
use testing::world::{Call, Person, RECORD, UNKNOWN_ID, World};

async fn changes(world: &World, by: Call, cursor: &str) -> (Vec<Value>, String, bool) {
    let query = if cursor.is_empty() { String::new() } else { format!("cursor={cursor}") };
    let answer = world.send(by.query(&query)).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    let body = answer.body();
    let changes = body["changes"].as_array().unwrap().clone();
    (changes, body["cursor"].as_str().unwrap().to_owned(), body["more"] == true)
}

fn feed() -> Call {
    Call::to("GET /v1/changes")
}

fn kinds(changes: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<&str> = changes.iter().map(|it| it["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    kinds
}

#[tokio::test]
async fn a_device_is_told_of_everything_once_as_it_is_now() {
    let world = World::with_record().await;
    let (told, start, more) = changes(&world, feed(), "").await;
    assert_eq!((told.len(), more), (0, false), "what there is, is listed");
    assert_eq!(changes(&world, feed(), &start).await.0.len(), 0);

    let update = Call::to("PUT /v1/records/{record_id}");
    assert_eq!(world.send(update.with("title", json!("Crack, 7 mm"))).await.status(), 200);
    assert_eq!(world.ask("POST /v1/records").await.status(), 201);
    world.upload_photo().await;
    assert_eq!(world.ask("POST /v1/types").await.status(), 201);
    assert_eq!(world.ask("PUT /v1/people/{user_id}").await.status(), 200);
    let (told, next, more) = changes(&world, feed(), &start).await;
    assert!(!more);
    assert_eq!(kinds(&told), ["appendix_version", "person", "record", "record", "type"]);
    let record = told.iter().find(|it| it["id"] == RECORD).unwrap();
    assert_eq!((&record["title"], &record["version"]), (&json!("Crack, 7 mm"), &json!(2)));
    let version = told.iter().find(|it| it["kind"] == "appendix_version").unwrap();
    assert_eq!((&version["state"], &version["record_id"]), (&json!("stored"), &json!(RECORD)));

    let delete = Call::to("DELETE /v1/records/{record_id}").header("if-match", "\"2\"");
    assert_eq!(world.send(delete).await.status(), 204);
    let (told, last, _) = changes(&world, feed(), &next).await;
    assert_eq!(told.len(), 1);
    let expected = (&json!("record_deleted"), &json!(RECORD), &json!(3), &Value::Null);
    let deleted = (&told[0]["kind"], &told[0]["id"], &told[0]["version"], &told[0]["title"]);
    assert_eq!(deleted, expected);
    // Whoever was away longer is told of its end alone, and at the end there is nothing.
    let (told, _, _) = changes(&world, feed(), &start).await;
    assert_eq!(kinds(&told), ["appendix_version", "person", "record", "record_deleted", "type"]);
    assert_eq!(changes(&world, feed(), &last).await.0.len(), 0);
}

#[tokio::test]
async fn each_is_told_what_their_role_and_scope_let_them_see() {
    let world = World::with_record().await;
    let (_, start, _) = changes(&world, feed(), "").await;
    assert_eq!(world.ask("POST /v1/records").await.status(), 201);
    world.upload_photo().await;
    assert_eq!(world.ask("PUT /v1/people/{user_id}").await.status(), 200);
    let person = |told: &[Value]| told.iter().find(|it| it["kind"] == "person").cloned().unwrap();
    let (admin, _, _) = changes(&world, feed().by(Person::Admin), &start).await;
    assert!(person(&admin)["sign_in_name"].is_string());
    let (viewer, _, _) = changes(&world, feed().by(Person::Viewer), &start).await;
    assert!(person(&viewer)["sign_in_name"].is_null(), "as in the list of people");
    assert_eq!(kinds(&viewer), ["appendix_version", "person", "record"]);

    let made = Call::to("POST /v1/tokens").with("role", json!("viewer"));
    let made = world.send(made.with("scopes", json!(["records"]))).await.body();
    let token = made["token"].as_str().unwrap();
    let by_program = feed().header("authorization", &format!("Bearer {token}"));
    let (told, _, _) = changes(&world, by_program, &start).await;
    assert_eq!(kinds(&told), ["record"]);
    // Another customer's cursor says nothing of ours, nor ours of theirs.
    let other = world.send(feed().by(Person::B).query(&format!("cursor={start}"))).await;
    assert_eq!((other.status(), other.code()), (410, "resync".to_owned()));
    let (told, _, _) = changes(&world, feed().by(Person::B), "").await;
    assert_eq!(told.len(), 0);
}

#[tokio::test]
async fn who_cannot_be_told_everything_is_told_so() {
    let world = World::new().await;
    let (_, start, _) = changes(&world, feed(), "").await;
    let at = |days: i64| {
        let later = world.now.after(std::time::Duration::from_secs(days.unsigned_abs() * 86_400));
        feed().later(later)
    };
    // A cursor lasts 90 days, and a poll renews it. Sessions do not, so it is asked of the store's own clock.
    let answer = world.send(at(6).query(&format!("cursor={start}"))).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    for bad in ["x", "", "MTcwMDAwMDAwMDAwMA"] {
        let refused = world.send(feed().query(&format!("cursor={bad}"))).await;
        assert_eq!(refused.problem(), (422, "invalid_field".into(), "?cursor".into()), "{bad}");
    }
    // Changes that a device has kept come with where it is, so that none is made that is meant for another service.
    let make = |cursor: &str, title: &str| {
        let body = json!({ "type": "note", "title": title });
        let change = json!({ "key": title, "method": "POST", "path": "/v1/records", "body": body });
        Call::to("POST /v1/changes").body(json!({ "changes": [change], "cursor": cursor }))
    };
    assert_eq!(world.send(make(&start, "one")).await.body()["verdicts"][0]["status"], 201);
    assert_eq!(world.send(make("x", "two")).await.problem().2, "/cursor");
    let of_another_company = world.send(make(&start, "three").by(Person::B)).await;
    assert_eq!((of_another_company.status(), of_another_company.code()), (410, "resync".into()));
    // The index is lost: nobody knows what was in it.
    for item in operator::items(&world.cloud, "INDEX_TABLE").await {
        let key = |name: &str| item[name].as_s().unwrap().clone();
        operator::delete_item(&world.cloud, "INDEX_TABLE", &key("pk"), &key("sk")).await;
    }
    let lost = world.send(feed().query(&format!("cursor={start}"))).await;
    assert_eq!((lost.status(), lost.code()), (410, "resync".to_owned()));
    assert_eq!(world.send(make(&start, "four")).await.status(), 410);
    let records = world.ask("GET /v1/records").await.body();
    assert_eq!(records["records"].as_array().unwrap().len(), 1, "of four, one was made");
    assert_eq!(world.ask("POST /v1/records").await.status(), 201);
    let lost = world.send(feed().query(&format!("cursor={start}"))).await;
    assert_eq!(lost.status(), 410, "nor when the feed goes on");
}

#[tokio::test]
async fn a_page_ends_before_it_is_too_large_and_the_next_goes_on() {
    let world = World::new().await;
    let (_, mut cursor, _) = changes(&world, feed(), "").await;
    let text = "å".repeat(15_000);
    let mut made = Vec::new();
    for n in 0..50 {
        let fields = json!({ "a": text, "n": n });
        let call = Call::to("POST /v1/records").header("idempotency-key", &format!("large-{n}"));
        let body = json!({ "type": "note", "title": "large", "fields": fields });
        let answer = world.send(call.body(body)).await;
        assert_eq!(answer.status(), 201, "{answer:?}");
        made.push(answer.body()["id"].as_str().unwrap().to_owned());
    }
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let (told, next, more) = changes(&world, feed(), &cursor).await;
        let bytes = json!(told).to_string().len();
        assert!(bytes < 1_100_000, "{bytes}");
        found.extend(told.iter().map(|it| it["id"].as_str().unwrap().to_owned()));
        (cursor, pages) = (next, pages + 1);
        if !more {
            break;
        }
    }
    made.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, made, "each once");
    assert!(pages > 1, "{pages}");
}

fn change(key: &str, method: &str, path: &str, if_match: Option<u64>, body: &Value) -> Value {
    let if_match = if_match.map(|version| format!("\"{version}\""));
    json!({ "key": key, "method": method, "path": path, "if_match": if_match, "body": body })
}

async fn make(world: &World, changes: &[Value]) -> Vec<Value> {
    let answer = world.send(Call::to("POST /v1/changes").body(json!({ "changes": changes }))).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    answer.body()["verdicts"].as_array().unwrap().clone()
}

#[tokio::test]
async fn one_bad_change_fails_alone_and_says_why() {
    let world = World::with_record().await;
    let note = |title: Value| json!({ "type": "note", "title": title });
    let good = note(json!("good"));
    let here = format!("/v1/records/{RECORD}");
    let sent = [
        change("a", "POST", "/v1/records", None, &good),
        change("b", "POST", "/v1/records", None, &note(json!(7))),
        change("c", "PUT", &here, None, &good),
        change("d", "PUT", &here, Some(7), &good),
        change("e", "PUT", &format!("/v1/records/{UNKNOWN_ID}"), Some(1), &good),
        change("f", "GET", &here, None, &Value::Null),
        change("g", "POST", "/v1/customers", None, &good),
        change("", "POST", "/v1/records", None, &good),
        change("å", "POST", "/v1/records", None, &good),
        change("h", "PATCH", &here, Some(1), &json!({ "title": "patched" })),
        change("i", "DELETE", &here, Some(2), &Value::Null),
    ];
    let verdicts = make(&world, &sent).await;
    let said: Vec<(u64, &str, &str)> = verdicts
        .iter()
        .map(|it| {
            let text = |name: &str| it["body"][name].as_str().unwrap_or("");
            (it["status"].as_u64().unwrap(), text("code"), text("field"))
        })
        .collect();
    let expected = [
        (201, "", ""),
        (422, "invalid_field", "/title"),
        (428, "if_match_required", ""),
        (412, "stale_version", ""),
        (404, "not_found", ""),
        (422, "invalid_field", "/method"),
        (422, "invalid_field", "/method"),
        (400, "idempotency_key_missing", ""),
        (422, "invalid_field", "/key"),
        (200, "", ""),
        (204, "", ""),
    ];
    assert_eq!(said, expected);
    assert_eq!(verdicts[3]["body"]["current"]["version"], 1, "what there is to merge with");
    let call = Call::to("POST /v1/changes");
    let refused = world.send(call.clone().by(Person::Viewer)).await;
    assert_eq!(refused.code(), "role_too_low");
    // Each is held against the role of who sends it: members do not delete.
    let erase = [change("m", "DELETE", &here, Some(3), &Value::Null)];
    let by_member =
        world.send(call.clone().by(Person::Member).body(json!({"changes": erase}))).await;
    assert_eq!(by_member.body()["verdicts"][0]["body"]["code"], "role_too_low");
    let many = vec![change("n", "POST", "/v1/records", None, &good); 51];
    let refused = world.send(call.body(json!({ "changes": many }))).await;
    assert_eq!(refused.problem(), (422, "invalid_field".into(), "/changes".into()));
    assert_eq!(make(&world, &[]).await.len(), 0);
}

/// `CHANGES` says how many: few in CI, 500 for a release.
#[tokio::test]
async fn a_phone_that_was_away_sends_all_it_has_kept_and_half_of_it_twice() {
    let count: usize = std::env::var("CHANGES").map_or(120, |text| text.parse().unwrap());
    let world = World::new().await;
    // What the phone knows before it is away.
    let mut shared = Vec::new();
    for n in 0..10 {
        let call = Call::to("POST /v1/records").header("idempotency-key", &format!("shared-{n}"));
        let made = world.send(call.body(json!({ "type": "note", "title": "shared" }))).await;
        shared.push(made.body()["id"].as_str().unwrap().to_owned());
    }
    let (_, start, _) = changes(&world, feed(), "").await;
    // Away, it makes records and changes them, and changes some that others know: each second of those is a conflict.
    let (mut kept, mut expected, mut conflicts) = (Vec::new(), BTreeMap::new(), 0);
    let id = |n: usize| format!("01KEZ{n:05}RECRDPHNEAAAAAAA");
    for n in 0..count {
        let (key, title) = (format!("away-{n}"), format!("away {n}"));
        let mut body = json!({ "type": "note", "title": title });
        match n % 4 {
            0 => {
                body["id"] = json!(id(n));
                kept.push(change(&key, "POST", "/v1/records", None, &body));
                expected.insert(id(n), (1, title));
            }
            step @ (1 | 2) => {
                let of = id(n - step);
                let version = step as u64;
                kept.push(change(&key, "PUT", &format!("/v1/records/{of}"), Some(version), &body));
                expected.insert(of, (version + 1, title));
            }
            _ => {
                let (of, turn) = (&shared[n / 4 % 10], n / 40);
                let version = turn as u64 + 1;
                kept.push(change(
                    &key,
                    "PATCH",
                    &format!("/v1/records/{of}"),
                    Some(version),
                    &body,
                ));
                if n / 4 % 2 == 0 {
                    expected.insert(of.clone(), (version + 1, title));
                } else {
                    conflicts += 1;
                }
            }
        }
    }
    // Meanwhile somebody else changes those of which the phone will not know.
    for of in shared.iter().skip(1).step_by(2) {
        for version in 1..=count as u64 / 40 + 1 {
            let call = Call::to("PUT /v1/records/{record_id}").path("record_id", of);
            let call = call.header("if-match", &format!("\"{version}\"")).by(Person::Admin);
            let changed = world.send(call.body(json!({ "type": "note", "title": "theirs" }))).await;
            assert_eq!(changed.status(), 200, "{changed:?}");
            expected.insert(of.clone(), (version + 1, "theirs".to_owned()));
        }
    }
    let mut refused = 0;
    for batch in kept.chunks(50) {
        let first = make(&world, batch).await;
        assert_eq!(first.len(), batch.len());
        // The answer was lost, and half of it is sent again.
        let half = batch.len() / 2;
        assert_eq!(make(&world, &batch[..half]).await, first[..half], "answered alike");
        for verdict in &first {
            match verdict["status"].as_u64().unwrap() {
                200 | 201 => {}
                412 => {
                    refused += 1;
                    assert_eq!(verdict["body"]["current"]["title"], "theirs");
                }
                other => panic!("{other}: {verdict}"),
            }
        }
    }
    assert_eq!(refused, conflicts);
    assert!(refused > 0);
    // Nothing lost and nothing doubled, by the feed too.
    let (mut told, mut cursor) = (BTreeMap::new(), start);
    loop {
        let (some, next, more) = changes(&world, feed(), &cursor).await;
        for it in some.iter().filter(|it| it["kind"] == "record") {
            let title = it["title"].as_str().unwrap().to_owned();
            told.insert(
                it["id"].as_str().unwrap().to_owned(),
                (it["version"].as_u64().unwrap(), title),
            );
        }
        cursor = next;
        if !more {
            break;
        }
    }
    assert_eq!(told, expected);
    let records = crate::find::find(&world, "limit=100").await;
    assert_eq!(records.len(), shared.len() + count.div_ceil(4));
}

/// Several people share a browser, and its cookie is of the last: a page says whose it is.
#[tokio::test]
async fn what_a_device_has_kept_of_somebody_is_not_sent_as_somebody_else() {
    let world = World::with_record().await;
    let change = json!({ "key": "kept", "method": "DELETE", "path": format!("/v1/records/{RECORD}"), "if_match": "\"1\"" });
    let send = Call::to("POST /v1/changes").body(json!({ "changes": [change] }));
    let of = |call: Call, person: Person| call.header("am-user", &person.user().to_string());
    for call in [send.clone(), feed(), Call::to("GET /v1/records/{record_id}")] {
        let refused = world.send(of(call, Person::Admin)).await;
        assert_eq!((refused.status(), refused.code()), (401, "no_session".to_owned()));
    }
    let there = world.send(of(Call::to("GET /v1/records/{record_id}"), Person::A)).await;
    assert_eq!(there.status(), 200, "nothing was done");
    let done = world.send(of(send, Person::A)).await.body();
    assert_eq!(done["verdicts"][0]["status"], 204, "{done}");
}
