//! What people say about records: saying it, in other words, taking it back, and who may.

use serde_json::{Value, json};

use testing::world::{Call, Person, UNKNOWN_ID, World};

const ADD: &str = "POST /v1/records/{record_id}/comments";
const EDIT: &str = "PUT /v1/records/{record_id}/comments/{comment_id}";
const DELETE: &str = "DELETE /v1/records/{record_id}/comments/{comment_id}";
const LIST: &str = "GET /v1/records/{record_id}/comments";

async fn said(world: &World) -> Vec<String> {
    let list = world.ask(LIST).await.body();
    let text = |it: &Value| it["text"].as_str().unwrap().to_owned();
    list["comments"].as_array().unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn what_is_said_can_be_said_otherwise_and_taken_back() {
    let world = World::with_record().await;
    let made = world.ask(ADD).await;
    assert_eq!((made.status(), made.header("etag")), (201, "\"1\""), "{made:?}");
    assert_eq!(made.body()["created_by"], json!(Person::A.user()));
    assert_eq!(world.ask(ADD).await.body(), made.body(), "sent again, it is answered alike");
    let again = Call::to(ADD).header("idempotency-key", "another");
    assert_eq!(world.send(again).await.problem().1, "exists");
    let by_member = Call::to(ADD).by(Person::Member).without("id").with("text", json!("I have it"));
    assert_eq!(world.send(by_member.header("idempotency-key", "m")).await.status(), 201);
    assert_eq!(said(&world).await.len(), 2);

    let edited = world.ask(EDIT).await;
    assert_eq!((edited.status(), &edited.body()["version"]), (200, &json!(2)), "{edited:?}");
    assert_eq!(edited.body()["mentions"], Value::Null, "nobody any more");
    let late = world.ask(EDIT).await;
    assert_eq!(late.problem().1, "stale_version");
    assert!(said(&world).await.contains(&"The crack has grown since Tuesday.".to_owned()));
    let delete = Call::to(DELETE).header("if-match", "\"2\"");
    assert_eq!(world.send(delete.clone()).await.status(), 204);
    assert_eq!(world.send(delete).await.status(), 404);
    assert_eq!(said(&world).await, ["I have it"]);
}

#[tokio::test]
async fn others_cannot_put_words_into_somebodys_mouth() {
    let world = World::with_record().await;
    assert_eq!(world.ask(ADD).await.status(), 201);
    let by = |name: &str, person: Person| Call::to(name).by(person);
    for call in [by(EDIT, Person::Member), by(EDIT, Person::Admin), by(DELETE, Person::Member)] {
        assert_eq!(world.send(call).await.problem(), (403, "not_yours".into(), String::new()));
    }
    assert_eq!(world.send(by(ADD, Person::Viewer)).await.code(), "role_too_low");
    assert_eq!(world.send(by(LIST, Person::Viewer)).await.status(), 200);
    assert_eq!(world.send(by(LIST, Person::B)).await.status(), 404);
    assert_eq!(
        world.send(by(DELETE, Person::Admin)).await.status(),
        204,
        "admins may take it away"
    );
}

#[tokio::test]
async fn a_comment_that_is_none_is_refused_by_its_field() {
    let world = World::with_record().await;
    let with = |member: &str, value: Value| {
        Call::to(ADD).with(member, value).header("idempotency-key", "bad")
    };
    let many: Vec<String> = (0..21).map(|n| format!("01KEZ000{n:02}PERSNAAAAAAAAAAA")).collect();
    for (call, field) in [
        (with("text", json!("")), "/text"),
        (with("text", json!(" \n\u{200B} ")), "/text"),
        (with("text", json!("x".repeat(10_001))), "/text"),
        (with("text", json!("a\u{0007}b")), "/text"),
        (with("text", json!("a\u{202E}b")), "/text"),
        (with("text", json!(7)), "/text"),
        (with("mentions", json!([UNKNOWN_ID])), "/mentions"),
        (with("mentions", json!([Person::B.user()])), "/mentions"),
        (with("mentions", json!(many)), "/mentions"),
        (with("mentions", json!(["eva"])), "/mentions/0"),
        (with("id", json!("7ZZZZZZZZZZZZZZZZZZZZZZZZZ")), "/id"),
        (with("unknown", json!(1)), "/unknown"),
    ] {
        let refused = world.send(call).await;
        assert_eq!(refused.problem(), (422, "invalid_field".into(), field.into()), "{refused:?}");
    }
    let nowhere = Call::to(ADD).path("record_id", UNKNOWN_ID);
    assert_eq!(world.send(nowhere).await.status(), 404);
    let gone = Call::to("DELETE /v1/records/{record_id}");
    assert_eq!(world.send(gone).await.status(), 204);
    assert_eq!(world.ask(ADD).await.status(), 404, "nothing is said about what is gone");
    assert_eq!(world.ask(LIST).await.status(), 404);
}

#[tokio::test]
async fn many_comments_come_page_by_page_and_through_the_feed() {
    let world = World::with_record().await;
    let begun = world.ask("GET /v1/changes").await.body();
    for n in 0..7 {
        let call = Call::to(ADD).without("id").with("text", json!(format!("comment {n}")));
        let call = call.header("idempotency-key", &format!("c{n}"));
        assert_eq!(world.send(call).await.status(), 201);
    }
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.send(Call::to(LIST).query(&format!("limit=3{cursor}"))).await.body();
        let some = page["comments"].as_array().unwrap().clone();
        found.extend(some.iter().map(|it| it["text"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found.len(), 7);
    let sent = json!({ "changes": [{
        "key": "phone", "method": "POST", "path": format!("/v1/records/{}/comments", testing::world::RECORD),
        "body": { "text": "from the phone" },
    }] });
    let verdicts = world.send(Call::to("POST /v1/changes").body(sent)).await.body();
    let made = &verdicts["verdicts"][0];
    assert_eq!(made["status"], 201, "{made}");
    let delete = Call::to(DELETE).path("comment_id", made["body"]["id"].as_str().unwrap());
    assert_eq!(world.send(delete).await.status(), 204);
    let cursor = format!("cursor={}", begun["cursor"].as_str().unwrap());
    let told = world.send(Call::to("GET /v1/changes").query(&cursor)).await.body();
    let kinds = told["changes"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap());
    let mut kinds: Vec<&str> = kinds.collect();
    kinds.sort_unstable();
    assert_eq!(kinds[..7], ["comment"; 7]);
    assert_eq!(kinds[7..], ["comment_deleted"]);
}
