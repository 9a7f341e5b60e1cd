//! How often the database is asked for an answer.

use testing::world::{Call, World};

/// The requests to the database that a first answer takes, one after the other or at once.
const ROUND_TRIPS: [(&str, u64); 6] = [
    ("GET /v1/session", 1),
    ("GET /v1/records/{record_id}", 1),
    ("GET /v1/records", 2),
    ("POST /v1/records", 2),
    ("PUT /v1/records/{record_id}", 2),
    // After the first one, which begins the feed.
    ("GET /v1/changes", 1),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_authenticated_read_is_one_round_trip() {
    let world = World::running(Some(crate::binaries())).await;
    world.fill().await;
    // With the first one it is counted what the company has.
    let first = Call::to("POST /v1/records").header("idempotency-key", "first");
    assert_eq!(world.send(first).await.status(), 201);
    let begun = world.ask("GET /v1/changes").await.body();
    let poll = Call::to("GET /v1/changes");
    let poll = poll.query(&format!("cursor={}", begun["cursor"].as_str().unwrap()));
    world.cloud.count_units();
    assert_eq!(requests_of(&world, poll.clone()).await, 1, "with nothing new");
    let units: f64 = world.cloud.usage().units.values().sum();
    assert!(units <= 8.0, "{units} read units");
    for (case, expected) in ROUND_TRIPS {
        assert_eq!(requests_of(&world, Call::to(case)).await, expected, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_is_four_requests_and_one_more_from_a_new_place() {
    let world = World::running(Some(crate::binaries())).await;
    world.fill().await;
    // The counters and the name at once, the person, then the session, and the place: nothing to forget.
    let log_in = |key| {
        let call = Call::to("POST /v1/sessions").source("198.51.100.1");
        call.header("idempotency-key", key)
    };
    assert_eq!(requests_of(&world, log_in("first")).await, 5);
    assert_eq!(requests_of(&world, log_in("second")).await, 4 + 1, "the first try is forgotten");
    let elsewhere = log_in("third").source("198.51.100.2");
    assert_eq!(requests_of(&world, elsewhere).await, 5);
}

async fn requests_of(world: &World, event: Call) -> u64 {
    let count = || world.cloud.usage().requests.values().sum::<u64>();
    let before = count();
    let answer = world.send(event).await;
    assert!(answer.status() < 300, "{answer:?}");
    count() - before
}
