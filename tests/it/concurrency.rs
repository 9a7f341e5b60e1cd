//! Many at once.

use futures_util::future::join_all;
use serde_json::json;

use testing::world::{Event, Person, World};

#[tokio::test(flavor = "multi_thread")]
async fn of_200_concurrent_updates_one_is_applied_and_the_others_are_refused() {
    let world = World::with_record().await;
    let update = |n: usize| {
        let event = Event::load("update_record/ok").with("title", json!(format!("Writer {n}")));
        world.send(event)
    };
    let answers = join_all((0..200).map(update)).await;
    let won: Vec<_> = answers.iter().filter(|answer| answer.status() == 200).collect();
    let refused = answers.iter().filter(|answer| answer.code() == "stale_version");
    assert!(refused.clone().all(|answer| answer.body()["current_version"] == 2));
    assert_eq!((won.len(), refused.count()), (1, 199));
    let history = world.send_file("list_revisions/ok").await.body();
    assert_eq!(history["revisions"][0]["title"], won[0].body()["title"]);
    assert_eq!(history["revisions"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_sent_again_before_it_is_answered_is_made_once() {
    let world = World::with_record().await;
    for (event, status) in
        [("update_record/ok", 200), ("delete_appendix/ok", 204), ("delete_record/ok", 204)]
    {
        let event = || match event {
            "delete_record/ok" => Event::load(event).header("if-match", "\"2\""),
            _ => Event::load(event),
        };
        let answers = join_all((0..20).map(|_| world.send(event()))).await;
        for answer in answers {
            assert_eq!(answer.status(), status, "{answer:?}");
        }
    }
    let history = world.send_file("list_revisions/ok").await.body();
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
                let event = Event::load("update_record/ok")
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
        let page = world.send(Event::load("list_revisions/ok").query(&query)).await.body();
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
        let event = Event::load("create_customer/ok")
            .header("idempotency-key", &format!("sign-up-{n}"))
            .with("company", json!(format!("Company {n}")));
        world.send(event)
    };
    let answers = join_all((0..50).map(sign_up)).await;
    let won: Vec<_> = answers.iter().filter(|answer| answer.status() == 201).collect();
    let refused = answers.iter().filter(|answer| answer.code() == "email_taken").count();
    assert_eq!((won.len(), refused), (1, 49));
    let log_in = Event::load("create_session/ok").with("email", json!("eva@verkstad-norr.example"));
    let session = world.send(log_in).await.body();
    assert_eq!(session["customer_id"], won[0].body()["customer"]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_20_repetitions_at_once_one_is_done_and_all_are_answered_alike() {
    let world = World::new().await;
    let answers = join_all((0..20).map(|_| world.send_file("create_record/ok"))).await;
    let first = answers[0].body();
    for answer in &answers {
        assert_eq!((answer.status(), answer.body()), (201, first.clone()));
    }
    let list = world.send_file("list_records/ok").await.body();
    assert_eq!(list["records"].as_array().unwrap().len(), 1);
    let sign_ups = join_all((0..20).map(|_| world.send_file("create_customer/ok"))).await;
    assert!(sign_ups.iter().all(|answer| answer.0 == sign_ups[0].0 && answer.status() == 201));
}
