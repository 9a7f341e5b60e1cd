//! Records: create, read, list, update, delete, history.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use testing::world::{Call, Person, RECORD, World};

#[tokio::test]
async fn a_record_is_created_and_read_back_as_it_was_sent() {
    let world = World::new().await;
    let created = world.ask("POST /v1/records").await;
    assert_eq!(created.status(), 201);
    assert_eq!(created.header("etag"), "\"1\"");
    let body = created.body();
    let id = body["id"].as_str().unwrap().to_owned();
    assert_eq!(created.header("location"), format!("/v1/records/{id}"));

    let read = world.send(Call::to("GET /v1/records/{record_id}").path("record_id", &id)).await;
    assert_eq!((read.status(), read.body()), (200, body.clone()));
    assert_eq!(body["title"], "Spricka i svets, linje 7");
    assert_eq!(body["fields"]["measured"]["length_mm"], 12.5);
    assert_eq!(body["version"], 1);
    assert_eq!(body["created_by"], body["changed_by"]);
}

#[tokio::test]
async fn a_client_may_choose_the_id_once() {
    let world = World::new().await;
    let chosen = Call::to("POST /v1/records chosen_id");
    assert_eq!(world.send(chosen.clone()).await.body()["id"], "01KEZ00000RECRDBBBBBBBBBBB");
    let again = world.send(chosen.clone().header("idempotency-key", "other")).await;
    assert_eq!(again.problem(), (409, "record_exists".into(), String::new()));
    // The id is free with another customer: nobody learns that it is taken.
    assert_eq!(world.send(chosen.by(Person::B)).await.status(), 201);
}

#[tokio::test]
async fn an_id_from_the_future_is_refused() {
    let world = World::new().await;
    let event =
        Call::to("POST /v1/records chosen_id").with("id", json!("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
    assert_eq!(world.send(event).await.problem(), (422, "invalid_field".into(), "/id".into()));
}

#[tokio::test]
async fn a_repeated_post_is_done_once_and_answered_alike() {
    let world = World::new().await;
    let first = world.ask("POST /v1/records").await;
    let second = world.ask("POST /v1/records").await;
    assert_eq!((first.status(), first.body()), (second.status(), second.body()));
    assert_eq!(second.header("etag"), "\"1\"");
    let list = world.ask("GET /v1/records").await.body();
    assert_eq!(list["records"].as_array().unwrap().len(), 1);

    let other = Call::to("POST /v1/records").with("title", json!("Another one"));
    let refused = world.send(other).await;
    assert_eq!(refused.problem(), (422, "idempotency_key_reused".into(), String::new()));
}

#[tokio::test]
async fn an_idempotency_key_is_forgotten_after_72_hours() {
    let world = World::new().await;
    let first = world.ask("POST /v1/records").await.body();
    let hours = |n: u64| world.now.after(Duration::from_secs(n * 3600));
    let repeat = |n| world.send(Call::to("POST /v1/records").later(hours(n)));
    assert_eq!(repeat(71).await.body()["id"], first["id"]);
    let after = repeat(73).await;
    assert_eq!(after.status(), 201);
    assert_ne!(after.body()["id"], first["id"]);
}

#[tokio::test]
async fn every_bad_body_is_refused_with_the_field_and_nothing_is_kept() {
    let world = World::new().await;
    let event = || Call::to("POST /v1/records");
    let cases: Vec<(Call, u64, &str, &str)> = vec![
        (event().with("title", json!("")), 422, "invalid_field", "/title"),
        (event().with("title", json!("x".repeat(201))), 422, "invalid_field", "/title"),
        (event().with("title", json!("a\nb")), 422, "invalid_field", "/title"),
        (event().with("title", json!("a\u{202e}b")), 422, "invalid_field", "/title"),
        (event().with("title", json!(7)), 422, "invalid_field", "/title"),
        (event().with("type", json!("No Such")), 422, "invalid_field", "/type"),
        (event().with("fields", json!([])), 422, "invalid_field", "/fields"),
        (event().with("id", json!("7")), 422, "invalid_field", "/id"),
        (event().with("colour", json!("red")), 422, "invalid_field", "/colour"),
        (event().without("title"), 422, "invalid_field", "/title"),
        (event().body(json!([])), 422, "invalid_field", ""),
        (event().raw_body(""), 400, "malformed_json", ""),
        (event().raw_body("{"), 400, "malformed_json", ""),
        (event().raw_body("{} {}"), 422, "invalid_field", "/type"),
        (event().raw_body("{\"title\": \"\u{0}\"}"), 400, "malformed_json", ""),
        (event().raw_body(&" ".repeat(262_145)), 413, "body_too_large", ""),
        (event().header("content-type", "text/plain"), 415, "not_json", ""),
        (event().without_header("content-type"), 415, "not_json", ""),
        (event().without_header("idempotency-key"), 400, "idempotency_key_missing", ""),
        (event().header("idempotency-key", "a b"), 400, "idempotency_key_invalid", ""),
    ];
    for (event, status, code, field) in cases {
        let shown = event.json["body"].to_string().chars().take(80).collect::<String>();
        let answer = world.send(event).await;
        assert_eq!(answer.problem(), (status, code.into(), field.into()), "{shown}");
        assert_eq!(answer.body()["request_id"], "event-request");
    }
    let deep = r#"{"type":"x","title":"y","fields":{"a":{"b":[1,{"c":1e999}]}}}"#;
    assert_eq!(world.send(event().raw_body(deep)).await.status(), 400);
    let twice = r#"{"type":"x","title":"y","fields":{"a":{"b":1,"b":2}}}"#;
    let (_, _, field) = world.send(event().raw_body(twice)).await.problem();
    assert_eq!(field, "/fields/a", "the object that says it twice");
    let list = world.ask("GET /v1/records").await.body();
    assert_eq!(list["records"], json!([]));
}

#[tokio::test]
async fn an_update_needs_the_version_that_was_seen() {
    let world = World::with_record().await;
    let update = || Call::to("PUT /v1/records/{record_id}");
    for missing in [update().without_header("if-match"), update().header("if-match", "*")] {
        let answer = world.send(missing).await;
        assert_eq!(answer.problem(), (428, "if_match_required".into(), String::new()));
    }
    for tag in
        ["\"7\"", "\"01\"", "\"+1\"", "W/\"1\"", "\"x\"", "1", "\"-1\"", "\"18446744073709551616\""]
    {
        let answer = world.send(update().header("if-match", tag)).await;
        assert_eq!(answer.problem(), (412, "stale_version".into(), String::new()), "{tag}");
        assert_eq!(
            (answer.body()["current_version"].as_u64(), answer.header("etag")),
            (Some(1), "\"1\"")
        );
    }
    let updated = world.send(update().header("if-match", "\"9\", \"1\"")).await;
    assert_eq!((updated.status(), updated.header("etag")), (200, "\"2\""));
    assert_eq!(updated.body()["title"], "Spricka i svets, åtgärdad");
    assert_eq!(updated.body(), world.read_record(Person::A).await.body());
}

#[tokio::test]
async fn an_update_whose_answer_was_lost_can_be_repeated_by_its_key() {
    let world = World::with_record().await;
    let update = || Call::to("PUT /v1/records/{record_id}");
    let named = || update().header("idempotency-key", "update-1");
    let first = world.send(named()).await;
    let again = world.send(named()).await;
    assert_eq!((again.status(), again.body()), (200, first.body()));
    // Long after, too, when others have gone on.
    let other = update().with("title", json!("Something else")).header("if-match", "\"2\"");
    assert_eq!(world.send(other).await.status(), 200);
    assert_eq!(world.send(named()).await.body(), first.body());
    let history = world.ask("GET /v1/records/{record_id}/revisions").await.body();
    assert_eq!(history["revisions"].as_array().unwrap().len(), 3);
    let other = named().with("title", json!("Something else"));
    assert_eq!(world.send(other).await.code(), "idempotency_key_reused");
}

/// Ten devices of one person that count to ten come to ten.
#[tokio::test]
async fn two_devices_of_one_person_that_do_the_same_do_not_both_succeed() {
    let world = World::with_record().await;
    let counted = |key: &str| {
        let update = Call::to("PUT /v1/records/{record_id}").with("fields", json!({"n": 6}));
        update.header("idempotency-key", key)
    };
    assert_eq!(world.send(counted("phone")).await.status(), 200);
    assert_eq!(world.send(counted("tablet")).await.status(), 412);
    let unnamed = Call::to("PUT /v1/records/{record_id}").with("fields", json!({"n": 6}));
    assert_eq!(world.send(unnamed).await.status(), 412);
}

#[tokio::test]
async fn an_update_with_a_bad_body_changes_nothing() {
    let world = World::with_record().await;
    let bad = Call::to("PUT /v1/records/{record_id}").with("title", json!(null));
    assert_eq!(world.send(bad).await.problem(), (422, "invalid_field".into(), "/title".into()));
    assert_eq!(world.read_record(Person::A).await.body()["version"], 1);
}

#[tokio::test]
async fn what_the_client_has_already_is_not_sent_again() {
    let world = World::with_record().await;
    let read = |tag: &str| {
        world.send(Call::to("GET /v1/records/{record_id}").header("if-none-match", tag))
    };
    let same = read("\"1\"").await;
    assert_eq!((same.status(), same.header("etag"), same.body()), (304, "\"1\"", Value::Null));
    assert_eq!(read("\"2\"").await.status(), 200);
    assert_eq!(read("W/\"1\"").await.status(), 304);
}

#[tokio::test]
async fn a_deleted_record_is_gone_but_its_history_stays() {
    let world = World::with_record().await;
    let delete = || Call::to("DELETE /v1/records/{record_id}");
    assert_eq!(world.send(delete().without_header("if-match")).await.status(), 428);
    assert_eq!(world.send(delete().header("if-match", "\"2\"")).await.status(), 412);
    let named = || delete().header("idempotency-key", "delete-1");
    assert_eq!(world.send(named()).await.status(), 204);
    assert_eq!(world.send(named()).await.status(), 204, "sent again by its key");
    assert_eq!(world.send(delete()).await.status(), 404);
    assert_eq!(world.read_record(Person::A).await.status(), 404);
    assert_eq!(world.ask("PUT /v1/records/{record_id}").await.status(), 404);
    assert_eq!(world.ask("GET /v1/records/{record_id}/appendices").await.status(), 404);
    assert_eq!(world.ask("POST /v1/records/{record_id}/appendices").await.status(), 404);
    assert_eq!(world.ask("GET /v1/records").await.body()["records"], json!([]));
    let history = world.ask("GET /v1/records/{record_id}/revisions").await.body();
    let line = |i: usize| &history["revisions"][i];
    assert_eq!((&line(0)["version"], &line(0)["deleted"]), (&json!(2), &json!(true)));
    assert_eq!((&line(1)["version"], &line(1)["title"]), (&json!(1), &json!("Spricka")));
    let create = Call::to("POST /v1/records chosen_id").with("id", json!(RECORD));
    assert_eq!(world.send(create).await.code(), "record_exists");
}

#[tokio::test]
async fn history_shows_who_changed_what_page_by_page() {
    let world = World::with_record().await;
    for version in 1..=4 {
        let update = Call::to("PUT /v1/records/{record_id}")
            .with("title", json!(format!("Version {}", version + 1)))
            .header("if-match", &format!("\"{version}\""));
        assert_eq!(world.send(update).await.status(), 200);
    }
    let titles =
        pages(&world, "GET /v1/records/{record_id}/revisions", "revisions", "title", 2).await;
    assert_eq!(titles, ["Version 5", "Version 4", "Version 3", "Version 2", "Spricka"]);
}

#[tokio::test]
async fn records_are_listed_newest_first_page_by_page_without_the_deleted() {
    let world = World::new().await;
    for n in 0..7 {
        let later = world.now.after(Duration::from_millis(n));
        let create = Call::to("POST /v1/records")
            .later(later)
            .header("idempotency-key", &format!("k{n}"))
            .with("title", json!(format!("Record {n}")));
        let id = world.send(create).await.body()["id"].as_str().unwrap().to_owned();
        if n % 3 == 0 {
            let delete = Call::to("DELETE /v1/records/{record_id}").path("record_id", &id);
            assert_eq!(world.send(delete).await.status(), 204);
        }
    }
    for limit in [1, 2, 3, 4, 100] {
        let titles = pages(&world, "GET /v1/records", "records", "title", limit).await;
        assert_eq!(titles, ["Record 5", "Record 4", "Record 2", "Record 1"], "limit {limit}");
    }
    let others = world.send(Call::to("GET /v1/records").by(Person::B)).await.body();
    assert_eq!(others, json!({"records": [], "next_cursor": null}));
}

#[tokio::test]
async fn a_page_of_large_records_stays_far_below_what_lambda_can_answer() {
    let world = World::new().await;
    let quotes = "\"".repeat(30_000);
    for n in 0..40 {
        let create = Call::to("POST /v1/records")
            .header("idempotency-key", &format!("k{n}"))
            .with("fields", json!({"text": quotes}));
        assert_eq!(world.send(create).await.status(), 201);
        // With what was deleted between them, a hundred items are less than a read may have.
        join_all((0..6).map(async |m| {
            let create =
                Call::to("POST /v1/records").header("idempotency-key", &format!("k{n}-{m}"));
            let id = world.send(create).await.body()["id"].as_str().unwrap().to_owned();
            let delete = Call::to("DELETE /v1/records/{record_id}").path("record_id", &id);
            assert_eq!(world.send(delete).await.status(), 204);
        }))
        .await;
    }
    let (mut found, mut query) = (0, "limit=100".to_owned());
    loop {
        let answer = world.send(Call::to("GET /v1/records").query(&query)).await;
        assert!(answer.0.to_string().len() < 4 * 1024 * 1024, "{}", answer.0.to_string().len());
        let body = answer.body();
        found += body["records"].as_array().unwrap().len();
        match body["next_cursor"].as_str() {
            Some(cursor) => query = format!("limit=100&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(found, 40);
}

#[tokio::test]
async fn a_bad_page_is_refused() {
    let world = World::new().await;
    for (query, field) in [
        ("limit=0", "?limit"),
        ("limit=101", "?limit"),
        ("limit=x", "?limit"),
        ("limit=1&limit=2", "?limit"),
        ("cursor=x", "?cursor"),
        ("cursor=", "?cursor"),
    ] {
        let answer = world.send(Call::to("GET /v1/records").query(query)).await;
        assert_eq!(answer.problem(), (422, "invalid_field".into(), field.into()), "{query}");
    }
}

/// One member of every item, over all pages of a listing.
async fn pages(world: &World, event: &str, list: &str, member: &str, limit: u32) -> Vec<String> {
    let mut found = Vec::new();
    let mut query = format!("limit={limit}");
    loop {
        let answer = world.send(Call::to(event).query(&query)).await;
        assert_eq!(answer.status(), 200);
        let body = answer.body();
        let items = body[list].as_array().unwrap();
        assert!(!items.is_empty() && items.len() <= limit as usize, "no empty or long page");
        found.extend(items.iter().map(|item| item[member].as_str().unwrap().to_owned()));
        match body["next_cursor"].as_str() {
            Some(cursor) => query = format!("limit={limit}&cursor={cursor}"),
            None => return found,
        }
    }
}

/// The titles of a list, page by page.
async fn titles(world: &World, query: &str) -> Vec<String> {
    let mut titles = Vec::new();
    let mut cursor = String::new();
    loop {
        let list = world.send(Call::to("GET /v1/records").query(&format!("{query}{cursor}"))).await;
        assert_eq!(list.status(), 200, "{query}{cursor}");
        let list = list.body();
        let records = list["records"].as_array().unwrap();
        titles.extend(records.iter().map(|it| it["title"].as_str().unwrap().to_owned()));
        match list["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return titles,
        }
    }
}

#[tokio::test]
async fn a_record_of_a_phone_whose_clock_is_wrong_is_among_those_changed_last() {
    let world = World::new().await;
    let later = |n: u64| world.now.after(Duration::from_secs(n));
    let create = |title: &str, id: &str, at| {
        let call = Call::to("POST /v1/records").with("title", json!(title)).with("id", json!(id));
        call.header("idempotency-key", id).later(at)
    };
    for n in 0..5 {
        let id = format!("01KEZ00000RECRD{n}AAAAAAAAAA");
        assert_eq!(world.send(create(&format!("{n}"), &id, later(n))).await.status(), 201);
    }
    // An id of 2016.
    let of_2016 = "01ATZ00000RECRDAAAAAAAAAAA";
    let made = world.send(create("of a wrong clock", of_2016, later(5))).await;
    assert_eq!(made.status(), 201);
    let created = titles(&world, "limit=2").await;
    assert_eq!(created.last().unwrap(), "of a wrong clock");
    let changed = titles(&world, "order=changed&limit=2").await;
    assert_eq!(changed, ["of a wrong clock", "4", "3", "2", "1", "0"]);

    // What is changed comes first, once; what is deleted is gone.
    let change =
        Call::to("PUT /v1/records/{record_id}").path("record_id", "01KEZ00000RECRD1AAAAAAAAAA");
    let change = change.with("title", json!("changed")).later(later(6));
    assert_eq!(world.send(change).await.status(), 200);
    let gone =
        Call::to("DELETE /v1/records/{record_id}").path("record_id", "01KEZ00000RECRD3AAAAAAAAAA");
    assert_eq!(world.send(gone.later(later(7))).await.status(), 204);
    let changed = titles(&world, "order=changed&limit=2").await;
    assert_eq!(changed, ["changed", "of a wrong clock", "4", "2", "0"]);
    // Another customer's list has none of it.
    let other = world.send(Call::to("GET /v1/records").query("order=changed").by(Person::B)).await;
    assert_eq!(other.body()["records"], json!([]));
    let bad = world.send(Call::to("GET /v1/records").query("order=title")).await;
    assert_eq!(bad.problem(), (422, "invalid_field".into(), "?order".into()));

    // An index that is made anew, while others change what it is made of, comes to the same.
    let entries = async || {
        let mut places = testing::operator::items(&world.cloud, "INDEX_TABLE").await;
        places.retain(|it| it["sk"].as_s().is_ok_and(|sk| sk.starts_with("LIST#")));
        places
    };
    let before = entries().await;
    let build = world.cloud.invoke("build-index", json!({}));
    let change = Call::to("PUT /v1/records/{record_id}").path("record_id", of_2016);
    let change = change.with("title", json!("changed too")).later(later(8));
    let (built, changed) = tokio::join!(build, world.send(change));
    assert_eq!((built.unwrap()["listed"].as_u64(), changed.status()), (Some(5), 200));
    // What was written of a record that has changed meanwhile is taken away by the sweep.
    world.operator.sweep_words(world.now.after(Duration::from_secs(60))).await.unwrap();
    assert_eq!(entries().await.len(), before.len());
    let changed = titles(&world, "order=changed&limit=2").await;
    assert_eq!(changed, ["changed too", "changed", "4", "2", "0"]);
}
