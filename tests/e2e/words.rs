//! All that functions may do with the words of records, and with what people are told: more words than fit a transaction,
//! and a mail.

use std::cell::Cell;
use std::time::Duration;

use local::Usage;
use serde_json::{Value, json};
use testing::world::{Call, Person, World};

/// Numbered deviations with long texts are made, changed in every way and deleted; what is left is swept.
pub async fn come_and_go() -> Usage {
    let world = World::running(Some(crate::binaries())).await;
    // Long ago enough for the sweep.
    let past = world.now.before(Duration::from_secs(120));
    let second = Cell::new(0);
    let send = async |call: Call| {
        second.set(second.get() + 1);
        let at = past.after(Duration::from_secs(second.get()));
        let answer = world.send(call.later(at)).await;
        assert!(answer.status() < 300, "{answer:?}");
        answer.body()
    };
    // The first change of a company counts what there is.
    let id = "01KEZ00000RECRDPHNEAAAAAAA";
    let change = |key: &str, method: &str, below: &str, seen: u64, body: Value| {
        let (path, if_match) = (format!("/v1/records{below}"), format!("\"{seen}\""));
        json!({ "key": key, "method": method, "path": path, "if_match": if_match, "body": body })
    };
    let mut with_id = deviation("first");
    with_id["id"] = json!(id);
    let changes = json!([
        change("phone-1", "POST", "", 0, with_id),
        change("phone-2", "PUT", &format!("/{id}"), 1, deviation("second")),
        change("phone-3", "POST", &format!("/{id}/comments"), 0, json!({ "text": "seen" })),
        change("phone-4", "DELETE", &format!("/{id}"), 2, Value::Null),
    ]);
    let made = send(Call::to("POST /v1/changes").body(json!({ "changes": changes }))).await;
    let statuses = made["verdicts"].as_array().unwrap().iter().map(|it| it["status"].as_u64());
    assert_eq!(
        statuses.collect::<Vec<_>>(),
        [Some(201), Some(200), Some(201), Some(204)],
        "{made}"
    );
    let make = Call::to("POST /v1/records").header("idempotency-key", "long");
    let id = send(make.body(deviation("first"))).await["id"].as_str().unwrap().to_owned();
    let call = |request: &str, version: u64| {
        let call = Call::to(request).path("record_id", &id);
        call.header("if-match", &format!("\"{version}\""))
    };
    let of = "/v1/records/{record_id}/comments";
    let (said, new) = (said("first"), said("second"));
    let say = Call::to(&format!("POST {of}")).path("record_id", &id).body(said);
    let comment = send(say.header("idempotency-key", "say")).await["id"].clone();
    let on = |request: &str, version: u64| {
        let call = call(&format!("{request} {of}/{{comment_id}}"), version);
        call.path("comment_id", comment.as_str().unwrap())
    };
    send(on("PUT", 1).body(new)).await;
    let swept = world.cloud.invoke("index-words", json!({})).await.unwrap();
    assert_eq!(swept["indexed"], 3, "two of the phone's record, and what was said");
    send(on("DELETE", 2)).await;
    let told = json!({ "text": "seen", "mentions": [Person::A.user()] });
    let tell = Call::to(&format!("POST {of}")).by(Person::Member).path("record_id", &id);
    send(tell.header("idempotency-key", "tell").body(told)).await;
    let inbox = send(Call::to("GET /v1/inbox")).await;
    assert_eq!(inbox["notices"].as_array().unwrap().len(), 1, "{inbox}");
    let wants = |daily: bool| Call::to("PUT /v1/inbox/mail").body(json!({ "daily": daily }));
    send(wants(true)).await;
    let mailed = world.cloud.invoke("send-daily-mail", json!({})).await.unwrap();
    assert_eq!(mailed["sent"], 1, "{mailed}");
    send(wants(false)).await;
    send(call("PUT /v1/records/{record_id}", 1).body(deviation("second"))).await;
    send(call("PATCH /v1/records/{record_id}", 2).body(deviation("third"))).await;
    let restore = call("POST /v1/records/{record_id}/restorations", 3);
    send(restore.with("version", json!(1))).await;
    world.cloud.invoke("index-words", json!({})).await.unwrap();
    send(call("DELETE /v1/records/{record_id}", 4)).await;
    let swept = world.cloud.invoke("index-words", json!({})).await.unwrap();
    assert_eq!(swept["indexed"], 1);
    // By its number, the index counts on.
    let make = Call::to("POST /v1/records").header("idempotency-key", "numbered");
    send(make.body(json!({ "type": "deviation", "title": "x" }))).await;
    world.cloud.invoke("build-index", json!({})).await.unwrap();
    world.cloud.usage()
}

fn deviation(word: &str) -> Value {
    json!({ "type": "deviation", "title": "long", "fields": { "description": text(word) } })
}

fn said(word: &str) -> Value {
    json!({ "text": text(word) })
}

/// Words that all begin otherwise.
fn text(word: &str) -> String {
    let letter = |n: u8| char::from(b'a' + n % 26);
    (0..200_u8).map(|n| format!("{}{}{word} ", letter(n / 26), letter(n))).collect()
}
