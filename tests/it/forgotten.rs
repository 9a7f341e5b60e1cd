//! A person is forgotten: no table, bucket, evidence or index shows who they were, and evenings go on.

use serde_json::{Value, json};
use store::TableKind;
use store::operator::LinkReason;
use testing::operator;
use testing::world::{Call, FLOOR_WORKER, Person, World, floor_worker};

/// Everything that is kept, in all tables and in the evidence, as text.
async fn kept(world: &World) -> String {
    let mut all = String::new();
    for table in ["RECORDS", "ACCOUNTS", "LOGINS", "SESSIONS", "LEDGER", "INDEX"] {
        for item in operator::items(&world.cloud, &format!("{table}_TABLE")).await {
            all += &format!("{item:?}\n");
        }
    }
    for key in operator::evidence_keys(&world.cloud, "").await {
        let (_, bytes) = operator::manifest(&world.cloud, &key).await;
        all += &String::from_utf8_lossy(&bytes);
    }
    all
}

async fn remove(world: &World, user: &str) {
    let call = Call::to("DELETE /v1/people/{user_id}").path("user_id", user);
    let call = call.header("if-match", "\"1\"").header("idempotency-key", user);
    let answer = world.send(call).await;
    assert_eq!(answer.status(), 204, "{answer:?}");
}

async fn forget(world: &World, user: &str) -> Result<Value, String> {
    let event = json!({ "customer": Person::A.customer(), "user": user });
    world.cloud.invoke("forget-person", event).await.map_err(|error| error.to_string())
}

async fn evening(world: &World) {
    let evening = world.cloud.run_evening(|_| {}).await.unwrap();
    assert!(evening.chain_holds, "{evening:?}");
    assert!(evening.verdicts.iter().all(|(_, it)| it == "SUCCESSFUL"), "{evening:?}");
    assert_eq!(evening.verdicts.len(), 7, "{evening:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_forgotten_is_shown_nowhere_and_evenings_go_on() {
    let mut world = World::new().await;
    let new = floor_worker().to_string();
    // Of an earlier release, whose revisions have name and address.
    let (earlier, address) = (Person::Leaver.user().to_string(), Person::Leaver.email());
    evening(&world).await;
    world.now = runtime::now();
    assert!(kept(&world).await.contains(address.as_str()));
    for user in [&new, &earlier] {
        assert!(forget(&world, user).await.unwrap_err().contains("remove them first"));
        remove(&world, user).await;
    }
    evening(&world).await;
    // One forgotten by the figures of yesterday, the other by tonight's.
    assert_eq!(forget(&world, &new).await.unwrap()["redacted"], 0);
    assert_eq!(forget(&world, &earlier).await.unwrap()["redacted"], 3, "two revisions, one login");
    for user in [&new, &earlier] {
        assert_eq!(forget(&world, user).await.unwrap()["redacted"], 0, "done again, it is done");
    }
    let left = kept(&world).await;
    for personal in [address.as_str(), FLOOR_WORKER, "Per Plåt", "Per Pl"] {
        let at = left.find(personal).map(|at| &left[at.saturating_sub(200)..at + 60]);
        assert_eq!(at, None, "{personal}");
    }
    // What they did stays, under their ids.
    let people = world.ask("GET /v1/people").await.body();
    for user in [&new, &earlier] {
        let person = people["people"].as_array().unwrap().iter().find(|it| it["id"] == **user);
        let person = person.unwrap();
        assert_eq!((&person["name"], &person["sign_in_name"]), (&json!(null), &json!(null)));
        assert_eq!(person["removed"], true);
    }
    for _ in 0..2 {
        evening(&world).await;
    }
    let links = world.operator.links().await.unwrap();
    let reasons: Vec<LinkReason> = links.iter().map(|link| link.reason).collect();
    assert_eq!(reasons, [LinkReason::Forgotten]);
    assert!(links[0].old.starts_with("lthash:") && links[0].new.starts_with("lthash:"));
    assert_ne!(links[0].old, links[0].new);
    // The name is free again.
    let invited = world.ask("POST /v1/invitations").await.body();
    let accept = Call::to("POST /v1/acceptances").with("token", invited["token"].clone());
    let accept = accept.with("sign_in_name", json!(FLOOR_WORKER));
    assert_eq!(world.send(accept).await.status(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_restore_brings_back_who_was_forgotten() {
    let mut world = World::new().await;
    let (earlier, new) = (Person::Leaver.user().to_string(), floor_worker().to_string());
    evening(&world).await;
    world.now = runtime::now();
    let to = world.now;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    world.now = runtime::now();
    for user in [&earlier, &new] {
        remove(&world, user).await;
        forget(&world, user).await.unwrap();
    }
    let to = domain::Timestamp::from_millis((to.seconds() + 1) * 1000);
    let order = json!({ "to": to, "reason": "drill", "execute": true });
    let outcome = ask(&world, &order).await;
    assert_eq!(outcome["state"], "ready", "{outcome:#}");
    let restored_as = outcome["restore"]["restored_as"].as_str().unwrap().to_owned();
    let world = world.restarted(&[("RestoredAs", &restored_as)]).await;
    let outcome = ask(&world, &order).await;
    assert_eq!(outcome["state"], "done", "{outcome:#}");
    let left = kept(&world).await;
    for personal in [Person::Leaver.email().as_str(), FLOOR_WORKER, "Per Plåt"] {
        let at = left.find(personal).map(|at| &left[at.saturating_sub(200)..at + 60]);
        assert_eq!(at, None, "{personal}");
    }
    assert!(world.operator.table_name(TableKind::Accounts).ends_with(&restored_as));
    evening(&world).await;
}

async fn ask(world: &World, order: &Value) -> Value {
    loop {
        let outcome = world.cloud.invoke("restore-service", order.clone()).await.unwrap();
        if outcome["wait"] == false {
            return outcome;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}
