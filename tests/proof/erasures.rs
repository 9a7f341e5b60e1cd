//! What a customer has erased stays erased, whatever is restored.

use std::time::Duration;

use serde_json::json;

use crate::restore::{order, restore, switch, whole_second};
use testing::operator;
use testing::world::{Call, Person, World, record_id};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_until_the_switch_stays_erased() {
    let world = World::with_record().await;
    let to = whole_second().await;
    let outcome = restore(&world, &order(to)).await;
    assert_eq!(outcome["restore"]["erased_again"], 0);
    // The service still runs on the tables before.
    let erase = Call::to("DELETE /v1/records/{record_id}").by(Person::Admin).later(runtime::now());
    assert_eq!(world.send(erase).await.status(), 204);
    let world = switch(world, &outcome).await;
    let outcome = restore(&world, &order(to)).await;
    assert_eq!(
        (&outcome["state"], &outcome["restore"]["erased_again"]),
        (&json!("done"), &json!(1))
    );
    let login = Call::to("POST /v1/sessions").later(runtime::now());
    let login = login.with("email", json!(Person::Admin.email().as_str()));
    let login = world.send(login.header("idempotency-key", "after")).await;
    let token = format!("Bearer {}", login.body()["token"].as_str().unwrap());
    let ask = Call::to("GET /v1/records/{record_id}")
        .later(runtime::now())
        .header("authorization", &token);
    assert_eq!(world.send(ask).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_stays_so_though_the_ledger_has_lost_its_row() {
    let world = World::with_record().await;
    let to = whole_second().await;
    let erase = Call::to("DELETE /v1/records/{record_id}").later(runtime::now());
    assert_eq!(world.send(erase).await.status(), 204);
    let erased = format!("ERASED#{}", Person::A.customer());
    let record = format!("RECORD#{}", record_id());
    operator::delete_item(&world.cloud, "LEDGER_TABLE", &erased, &record).await;
    let outcome = restore(&world, &order(to)).await;
    assert_eq!(outcome["restore"]["erased_again"], 1);
    let world = switch(world, &outcome).await;
    assert_eq!(restore(&world, &order(to)).await["state"], "done");
    let ask = Call::to("GET /v1/records/{record_id}").later(runtime::now());
    assert!(world.send(ask).await.status() >= 400);
    let a = Person::A.customer().to_string();
    let found = operator::item(&world.cloud, "RECORDS_TABLE", (&a, &record)).await;
    assert!(found.contains_key("deleted"));
}

/// Its time is from before the second, and its commit from after it: the ledger tells of a tombstone that the new
/// tables never had.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_was_under_way_at_the_second_stays_one() {
    let world = World::with_record().await;
    let to = whole_second().await;
    let asked = to.before(Duration::from_millis(50));
    let erase = Call::to("DELETE /v1/records/{record_id}").later(asked);
    assert_eq!(world.send(erase).await.status(), 204);
    let outcome = restore(&world, &order(to)).await;
    assert_eq!(outcome["restore"]["erased_again"], 1, "{outcome}");
    assert_eq!(outcome["state"], "ready", "{outcome}");
}
