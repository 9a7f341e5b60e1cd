//! Issues that are resolved at Sentry: what its webhook may say, and that their crashes go.

use std::time::Duration;

use serde_json::{Value, json};
use testing::collector::Manner;
use testing::operator;
use testing::world::{Call, World};

use crate::crashes::{ERROR, HOUR, ISSUE, SECRET, Stage};

#[tokio::test]
async fn a_hook_that_sentry_has_not_signed_is_refused() {
    let stage = Stage::new().await;
    let ok = || Call::to("POST /v1/sentry-hooks");
    let body = ok().json["body"].as_str().unwrap().to_owned();
    let other = stage.hook(&body).raw_body(&body.replace(ISSUE, "1170820243"));
    let cut = stage.hook(&body).raw_body(&body[..body.len() - 1]);
    let unsigned = ok().without_header("sentry-hook-signature");
    assert_eq!(stage.world.send(unsigned).await.problem(), (403, "unsigned".into(), String::new()));
    // `ok` is signed with another key.
    for event in [ok(), other, cut, ok().header("sentry-hook-signature", "0")] {
        let answer = stage.world.send(event).await;
        assert_eq!(answer.problem(), (403, "wrongly_signed".into(), String::new()));
    }
    for (body, field) in [
        ("{\"action\":\"resolved\"}", "/data"),
        (
            "{\"action\":\"resolved\",\"data\":{\"issue\":{\"id\":\"../1\",\"project\":{\"id\":\"42\"}}}}",
            "/data/issue/id",
        ),
        ("{\"action\":7}", "/action"),
    ] {
        let answer = stage.world.send(stage.hook(body)).await;
        assert_eq!(answer.problem(), (422, "invalid_field".into(), field.to_owned()));
    }
    let no_json = stage.world.send(stage.hook("{")).await;
    assert_eq!(no_json.problem(), (400, "malformed_json".into(), String::new()));
    assert!(stage.world.operator.resolved().await.unwrap().is_empty());
    assert!(stage.collector.state().asked.is_empty());
}

#[tokio::test]
async fn without_an_integration_nobody_can_sign() {
    let world = World::new().await;
    let answer = world.ask("POST /v1/sentry-hooks").await;
    assert_eq!(answer.problem(), (403, "wrongly_signed".into(), String::new()));
}

#[tokio::test]
async fn only_a_resolved_issue_of_ours_is_noted() {
    let stage = Stage::new().await;
    let body = |name: &str| {
        Call::to(&format!("POST /v1/sentry-hooks {name}")).json["body"].as_str().unwrap().to_owned()
    };
    let others = body("ok").replace("\"id\":\"42\"", "\"id\":\"43\"");
    let error = stage.hook(&body("ok")).header("sentry-hook-resource", "error");
    for event in [stage.hook(&body("created")), stage.hook(&others), error] {
        let answer = stage.world.send(event).await;
        assert_eq!((answer.status(), answer.body()), (200, json!({"noted": false})));
    }
    assert!(stage.world.operator.resolved().await.unwrap().is_empty());
    let answer = stage.resolve().await;
    assert_eq!((answer.status(), answer.body()), (202, json!({"noted": true})));
    let replayed = stage.resolve().await;
    assert_eq!(replayed.problem(), (409, "replayed".into(), String::new()));
}

#[tokio::test]
async fn when_an_issue_is_resolved_its_crashes_go_at_sentry_and_here() {
    let stage = Stage::new().await;
    // One that Sentry does not have yet, of the same error; and one of another.
    stage.collector.state().manner = Manner::Answers(503);
    stage.world.send(stage.crash("ok")).await;
    let other = stage.envelope().replace("9ec79c33", "00000001").replace("TypeError", "LinkError");
    assert_eq!(stage.post(other, None).await.0, 202);
    stage.collector.add_issue(ISSUE, "resolved", "42", ERROR);
    stage.collector.add_issue("7", "unresolved", "42", ERROR);
    stage.collector.add_issue("8", "resolved", "43", ERROR);
    assert_eq!(stage.resolve().await.status(), 202);
    assert_eq!(stage.row(Duration::ZERO).await["state"], "unknown", "nothing was done yet");

    let outcome = stage.settle().await;
    assert_eq!((&outcome["deleted"], &outcome["waiting"]), (&json!(1), &json!(1)), "{outcome}");
    let issues: Vec<String> = stage.collector.state().issues.keys().cloned().collect();
    assert_eq!(issues, ["7", "8"], "one is open, one is somebody else's");
    let kept = operator::crashes(&stage.world.cloud).await;
    assert!(kept.len() == 1 && kept[0].0.starts_with("42/00000001"), "{kept:?}");
    let noted = stage.deletion().await.unwrap();
    assert_eq!((&noted["issue"], &noted["project"]), (&json!(ISSUE), &json!("42")));
    assert_eq!(noted["kept_here"], 1);
    assert_eq!(stage.resolve().await.code(), "replayed", "it is known for ever");

    let row = stage.row(Duration::ZERO).await;
    assert_eq!(row["state"], "kept", "{row}");
    let data = &row["evidence"]["data"];
    assert_eq!((&data["deleted"], &data["last_deletion"]), (&json!(1), &noted["deleted_at"]));
    assert_eq!(stage.row(25 * HOUR).await["state"], "unknown", "nobody has asked since");
    assert_eq!(stage.settle().await["deleted"], 0);
}

#[tokio::test]
async fn a_webhook_that_was_lost_and_an_issue_that_was_reopened_change_nothing() {
    let stage = Stage::new().await;
    stage.collector.add_issue("7", "resolved", "42", ERROR);
    assert_eq!(stage.settle().await["deleted"], 1, "Sentry was asked");
    stage.collector.add_issue(ISSUE, "unresolved", "42", ERROR);
    stage.resolve().await;
    assert_eq!(stage.settle().await["deleted"], 0);
    assert!(stage.collector.state().issues.contains_key(ISSUE), "it is open again");
    // Resolved again, it is noted again; and somebody may have deleted it by hand.
    assert_eq!(stage.resolve().await.status(), 202);
    stage.collector.state().issues.clear();
    assert_eq!(stage.settle().await["deleted"], 1);
    assert!(stage.deletion().await.is_some());
    assert_eq!(stage.row(Duration::ZERO).await["evidence"]["data"]["deleted"], 2);
}

#[tokio::test]
async fn what_cannot_be_deleted_shows() {
    let stage = Stage::new().await;
    stage.collector.add_issue(ISSUE, "resolved", "42", ERROR);
    let token = std::mem::take(&mut stage.collector.state().token);
    stage.resolve().await;
    assert_eq!(stage.settle().await["deleted"], 0);
    assert_eq!(stage.row(HOUR).await["state"], "unknown", "Sentry was never asked");
    stage.collector.state().token = "another".to_owned();
    assert_eq!(stage.settle().await["deleted"], 0);
    let row = stage.row(25 * HOUR).await;
    assert_eq!(row["state"], "broken", "{row}");
    assert!(row["evidence"]["data"]["resolved_since"].is_string(), "{row}");
    stage.collector.state().token = token;
    assert_eq!(stage.settle().await["deleted"], 1);
    assert_eq!(stage.row(HOUR).await["state"], "kept");
}

#[tokio::test]
async fn nothing_counts_as_deleted_that_sentry_has_not_deleted() {
    // An organization that Sentry does not know has no issues either.
    let stage = Stage::new().await;
    stage.collector.add_issue(ISSUE, "resolved", "42", ERROR);
    let organization = std::mem::take(&mut stage.collector.state().organization);
    stage.resolve().await;
    assert_eq!(stage.settle().await["deleted"], 0);
    assert!(stage.deletion().await.is_none());
    assert_eq!(stage.row(Duration::ZERO).await["evidence"]["data"]["asked_at"], Value::Null);
    stage.collector.state().organization = organization;
    // A token that may look and not delete, at an issue that no webhook told of.
    stage.collector.add_issue("7", "resolved", "42", ERROR);
    stage.collector.state().may_delete = false;
    assert_eq!(stage.settle().await["deleted"], 0);
    assert_eq!(stage.world.operator.resolved().await.unwrap().len(), 2);
    assert_eq!(stage.row(25 * HOUR).await["state"], "broken");
    stage.collector.state().may_delete = true;
    assert_eq!(stage.settle().await["deleted"], 2);
    assert_eq!(stage.settle().await["deleted"], 0);
}

#[tokio::test]
async fn a_crash_that_came_after_its_issue_was_resolved_is_news() {
    let stage = Stage::new().await;
    stage.collector.add_issue(ISSUE, "resolved", "42", ERROR);
    stage.resolve().await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    stage.collector.state().manner = Manner::Answers(503);
    let later = stage.crash("ok").later(runtime::now());
    assert_eq!(stage.world.send(later).await.status(), 202);
    stage.collector.state().manner = Manner::Takes;
    let outcome = stage.settle().await;
    assert_eq!((&outcome["deleted"], &outcome["sent"]), (&json!(1), &json!(1)), "{outcome}");
    let last = stage.collector.state().envelopes.last().unwrap().issues;
    assert_eq!(last, 0, "or Sentry would have put it to what was about to be deleted");
}

#[tokio::test]
async fn a_project_that_takes_nothing_stops_nobody_else() {
    let stage = Stage::new().await;
    let second = format!("http://public@{}/43", stage.collector.address);
    let both = format!("{},{second}", stage.collector.dsn());
    let Stage { world, collector, client_secret } = stage;
    let parameters = [("DeviceSentryDsns", both.as_str()), ("SentrySecret", SECRET)];
    let world = world.restarted(&parameters).await;
    let stage = Stage { world, collector, client_secret };
    stage.collector.state().manner = Manner::Answers(503);
    for n in 1..=5 {
        let one = stage.envelope().replace("9ec79c33", &format!("0000000{n}"));
        let other = one.replace(&stage.collector.dsn(), &second);
        assert_eq!(stage.post(one, None).await.0, 202);
        assert_eq!(stage.post(other, None).await.0, 202);
    }
    stage.collector.state().manner = Manner::TakesBut("/api/42/envelope/");
    stage.collector.state().envelopes.clear();
    let outcome = stage.settle().await;
    assert_eq!((&outcome["sent"], &outcome["waiting"]), (&json!(5), &json!(5)), "{outcome}");
    let of_first = |it: &&testing::collector::Collected| it.path == "/api/42/envelope/";
    let tried = stage.collector.state().envelopes.iter().filter(of_first).count();
    assert_eq!(tried, 3, "and then it was left alone");
    // A project that Sentry, or a deployment, does not know for a while loses nothing.
    stage.collector.state().manner = Manner::Answers(403);
    assert_eq!(stage.settle().await["waiting"], 5);
    let world = stage.world.restarted(&[("SentrySecret", SECRET)]).await;
    let outcome = world.cloud.invoke("settle-crashes", json!({})).await.unwrap();
    assert_eq!(outcome["waiting"], 5);
}
