//! Many at once.

use futures_util::future::join_all;
use serde_json::json;

use testing::world::{Call, Person, World};

#[tokio::test(flavor = "multi_thread")]
async fn of_200_concurrent_updates_one_is_applied_and_the_others_are_refused() {
    let world = World::with_record().await;
    let update = |n: usize| {
        let event =
            Call::to("PUT /v1/records/{record_id}").with("title", json!(format!("Writer {n}")));
        world.send(event)
    };
    let answers = join_all((0..200).map(update)).await;
    let won: Vec<_> = answers.iter().filter(|answer| answer.status() == 200).collect();
    let refused = answers.iter().filter(|answer| answer.code() == "stale_version");
    assert!(refused.clone().all(|answer| answer.body()["current_version"] == 2));
    assert_eq!((won.len(), refused.count()), (1, 199));
    let history = world.ask("GET /v1/records/{record_id}/revisions").await.body();
    assert_eq!(history["revisions"][0]["title"], won[0].body()["title"]);
    assert_eq!(history["revisions"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_sent_again_before_it_is_answered_is_made_once() {
    let world = World::with_record().await;
    for (event, status) in [
        ("PUT /v1/records/{record_id}", 200),
        ("DELETE /v1/records/{record_id}/appendices/{appendix_id}", 204),
        ("DELETE /v1/records/{record_id}", 204),
    ] {
        let event = || match event {
            "DELETE /v1/records/{record_id}" => Call::to(event).header("if-match", "\"2\""),
            _ => Call::to(event),
        };
        let event = || {
            event().header(
                "idempotency-key",
                &format!("{status} {}", event().binary()).replace(' ', "-"),
            )
        };
        let answers = join_all((0..20).map(|_| world.send(event()))).await;
        for answer in answers {
            assert_eq!(answer.status(), status, "{answer:?}");
        }
    }
    let history = world.ask("GET /v1/records/{record_id}/revisions").await.body();
    assert_eq!(history["revisions"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_100_writers_that_retry_every_one_gets_its_revision() {
    let world = World::with_record().await;
    let writer = |n: usize| {
        let world = &world;
        async move {
            loop {
                let version = world.read_record(Person::A).await.body()["version"].clone();
                let event = Call::to("PUT /v1/records/{record_id}")
                    .header("if-match", &format!("\"{version}\""))
                    .with("title", json!(format!("Writer {n}")));
                match world.send(event).await.status() {
                    200 => return,
                    412 => {}
                    other => panic!("writer {n}: {other}"),
                }
            }
        }
    };
    // Four at a time keeps the number of lost races, and so the test, bounded.
    for batch in 0..25 {
        join_all((batch * 4..batch * 4 + 4).map(writer)).await;
    }
    let mut titles = Vec::new();
    let mut query = "limit=100".to_owned();
    loop {
        let page = world
            .send(Call::to("GET /v1/records/{record_id}/revisions").query(&query))
            .await
            .body();
        let revisions = page["revisions"].as_array().unwrap();
        titles.extend(revisions.iter().map(|it| it["title"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("limit=100&cursor={cursor}"),
            None => break,
        }
    }
    titles.sort();
    let mut expected: Vec<String> = (0..100).map(|n| format!("Writer {n}")).collect();
    expected.push("Spricka".to_owned());
    expected.sort();
    assert_eq!(titles, expected);
    assert_eq!(world.read_record(Person::A).await.body()["version"], 101);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_50_sign_ups_of_one_email_exactly_one_wins() {
    let world = World::new().await;
    let sign_up = |n: usize| {
        let event = Call::to("POST /v1/customers")
            .header("idempotency-key", &format!("sign-up-{n}"))
            .with("company", json!(format!("Company {n}")))
            .source(&format!("198.51.100.{}", n / 10));
        world.send(event)
    };
    let answers = join_all((0..50).map(sign_up)).await;
    let won: Vec<_> = answers.iter().filter(|answer| answer.status() == 201).collect();
    let refused = answers.iter().filter(|answer| answer.code() == "email_taken").count();
    assert_eq!((won.len(), refused), (1, 49));
    let log_in = Call::to("POST /v1/sessions").with("email", json!("eva@verkstad-norr.example"));
    let session = world.send(log_in).await.body();
    assert_eq!(session["customer_id"], won[0].body()["customer"]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_20_repetitions_at_once_one_is_done_and_all_are_answered_alike() {
    let world = World::new().await;
    let answers = join_all((0..20).map(|_| world.ask("POST /v1/records"))).await;
    let first = answers[0].body();
    for answer in &answers {
        assert_eq!((answer.status(), answer.body()), (201, first.clone()));
    }
    let list = world.ask("GET /v1/records").await.body();
    assert_eq!(list["records"].as_array().unwrap().len(), 1);
    // As often as somebody may try.
    let sign_ups = join_all((0..10).map(|_| world.ask("POST /v1/customers"))).await;
    assert!(sign_ups.iter().all(|answer| answer.0 == sign_ups[0].0 && answer.status() == 201));
}
