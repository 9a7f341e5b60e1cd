//! What people are told, by whom, and that they alone read it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::find::{index, lose};
use testing::letters::letters;
use testing::world::{Answer, Call, Person, World};

const ADD: &str = "POST /v1/records/{record_id}/comments";

async fn inbox(world: &World, person: Person) -> Value {
    let answer = world.send(Call::to("GET /v1/inbox").by(person)).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    answer.body()
}

/// Why somebody was told, and by whom, the newest first; and how much of it is not read.
async fn told(world: &World, person: Person) -> (Vec<(String, String)>, u64) {
    let inbox = inbox(world, person).await;
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    let notices = inbox["notices"].as_array().unwrap().iter();
    let notices = notices.map(|it| (text(&it["reason"]), text(&it["by"]))).collect();
    (notices, inbox["unread"].as_u64().unwrap())
}

fn from(reason: &str, person: Person) -> (String, String) {
    (reason.to_owned(), person.user().to_string())
}

async fn mark(world: &World, person: Person, ids: &[&str]) -> Answer {
    let call = Call::to("POST /v1/inbox/read").by(person).body(json!({ "notices": ids }));
    world.send(call).await
}

/// A deviation of A's that the member is to work on; what the member has done with it, and said.
async fn story(world: &World) -> String {
    let body = json!({ "type": "deviation", "title": "Crack in the hook", "assignees": [Person::Member.user()] });
    let made = world.send(Call::to("POST /v1/records").body(body)).await;
    assert_eq!(made.status(), 201, "{made:?}");
    let id = made.body()["id"].as_str().unwrap().to_owned();
    let later = |seconds| world.now.after(Duration::from_secs(seconds));
    let change =
        Call::to("PATCH /v1/records/{record_id}").by(Person::Member).path("record_id", &id);
    let change = change.header("if-match", "\"1\"").body(json!({ "state": "in_progress" }));
    assert_eq!(world.send(change.later(later(1))).await.status(), 200);
    let says = json!({ "text": "Where is the drawing?", "mentions": [Person::Admin.user()] });
    let says = Call::to(ADD).by(Person::Member).path("record_id", &id).body(says);
    assert_eq!(world.send(says.later(later(2))).await.status(), 201);
    id
}

#[tokio::test]
async fn people_are_told_what_concerns_them_and_not_what_they_did() {
    let world = World::new().await;
    let id = story(&world).await;
    assert_eq!(told(&world, Person::Member).await, (vec![from("assigned", Person::A)], 1));
    let both = vec![from("commented", Person::Member), from("changed", Person::Member)];
    assert_eq!(told(&world, Person::A).await, (both.clone(), 2));
    assert_eq!(told(&world, Person::Admin).await, (vec![from("mentioned", Person::Member)], 1));
    assert_eq!(told(&world, Person::Viewer).await, (vec![], 0));
    assert_eq!(told(&world, Person::B).await, (vec![], 0));
    let notice = inbox(&world, Person::Admin).await["notices"][0].clone();
    let record = json!({
        "type": "deviation", "title": "Crack in the hook", "number": "DEV-1",
        "state": "in_progress", "open": true,
    });
    assert_eq!((&notice["record"], notice["read"].as_bool()), (&record, Some(false)));
    assert_eq!(notice["record_id"], json!(id));
    assert!(notice["comment_id"].is_string(), "{notice}");
    // Page by page, the same.
    let first = world.send(Call::to("GET /v1/inbox").query("limit=1")).await.body();
    let query = format!("limit=1&cursor={}", first["next_cursor"].as_str().unwrap());
    let second = world.send(Call::to("GET /v1/inbox").query(&query)).await.body();
    let reasons = [&first, &second].map(|it| it["notices"][0]["reason"].as_str().unwrap());
    assert_eq!(reasons, ["commented", "changed"]);
    // What is gone is said to be gone, and can be read away.
    let delete = Call::to("DELETE /v1/records/{record_id}").path("record_id", &id);
    assert_eq!(world.send(delete.header("if-match", "\"2\"")).await.status(), 204);
    assert_eq!(told(&world, Person::A).await, (both, 2));
    assert_eq!(inbox(&world, Person::A).await["notices"][0]["record"], Value::Null);
}

/// Two changes of one record at the same time, as in a batch that a device sends.
#[tokio::test]
async fn nobody_misses_one_of_two_things_said_at_once_and_an_index_is_made_of_both() {
    let world = World::with_record().await;
    let say = |key: &str| {
        let path = format!("/v1/records/{}/comments", testing::world::RECORD);
        let body = json!({ "text": key, "mentions": [Person::Admin.user()] });
        json!({ "key": key, "method": "POST", "path": path, "body": body })
    };
    let both = json!({ "changes": [say("one"), say("two")] });
    let made = world.send(Call::to("POST /v1/changes").by(Person::Member).body(both)).await.body();
    assert_eq!(made["verdicts"][1]["status"], 201, "{made}");
    assert_eq!(told(&world, Person::Admin).await.1, 2);
    let notice = inbox(&world, Person::Admin).await["notices"][0]["id"].clone();
    assert_eq!(mark(&world, Person::Admin, &[notice.as_str().unwrap()]).await.status(), 204);
    // Made again over what is there, nothing is told anew.
    world.cloud.invoke("build-index", json!({})).await.unwrap();
    assert_eq!(told(&world, Person::Admin).await.1, 1);
    lose(&world, "INDEX_TABLE", |_| true).await;
    world.cloud.invoke("build-index", json!({})).await.unwrap();
    assert_eq!(told(&world, Person::Admin).await.1, 2);
}

#[tokio::test]
async fn what_somebody_has_read_is_read_for_them_alone() {
    let world = World::new().await;
    story(&world).await;
    let all = inbox(&world, Person::A).await;
    let id = |at: usize| all["notices"][at]["id"].as_str().unwrap();
    // Neither another person nor another company reads it for them.
    for other in [Person::Member, Person::B] {
        assert_eq!(mark(&world, other, &[id(0)]).await.status(), 204);
    }
    assert_eq!(told(&world, Person::A).await.1, 2);
    assert_eq!(mark(&world, Person::A, &[id(0), id(0)]).await.status(), 204);
    let now = inbox(&world, Person::A).await;
    let read = |at: usize| now["notices"][at]["read"].as_bool().unwrap();
    assert_eq!((read(0), read(1), now["unread"].as_u64()), (true, false, Some(1)));
    let unknown = id(1).replace(".2", ".7");
    assert_eq!(mark(&world, Person::A, &[&unknown]).await.status(), 204, "what is gone is read");
    assert_eq!(inbox(&world, Person::A).await["notices"].as_array().unwrap().len(), 2);
    let many = vec![id(0); 101];
    for (bad, field) in [
        (vec![], "/notices"),
        (many, "/notices"),
        (vec![id(1), "x"], "/notices/1"),
        (vec!["07.01KEZ00000RECRDAAAAAAAAAAA.assigned.1"], "/notices/0"),
        (vec!["7.01KEZ00000RECRDAAAAAAAAAAA.#inbox#.1"], "/notices/0"),
    ] {
        let refused = mark(&world, Person::A, &bad).await;
        assert_eq!(refused.problem(), (422, "invalid_field".into(), field.into()), "{bad:?}");
    }
}

#[tokio::test]
async fn an_index_that_was_lost_tells_people_again() {
    let world = World::new().await;
    let id = story(&world).await;
    // Somebody else joins in, and what was said is said otherwise.
    let later = world.now.after(Duration::from_secs(3));
    let change = Call::to("PATCH /v1/records/{record_id}").path("record_id", &id);
    let both = json!({ "assignees": [Person::Member.user(), Person::Admin.user()] });
    assert_eq!(
        world.send(change.header("if-match", "\"2\"").body(both).later(later)).await.status(),
        200
    );
    let before = index(&world).await;
    assert_eq!(before.iter().filter(|it| it.contains("NOTICE#")).count(), 6);
    lose(&world, "INDEX_TABLE", |_| true).await;
    assert_eq!(told(&world, Person::A).await, (vec![], 0));
    world.cloud.invoke("build-index", json!({})).await.unwrap();
    assert_eq!(index(&world).await, before);
}

#[tokio::test]
async fn who_chooses_to_follow_is_told_and_who_chooses_not_to_is_not() {
    let world = World::new().await;
    let body =
        json!({ "type": "deviation", "title": "Crack", "assignees": [Person::Member.user()] });
    let made = world.send(Call::to("POST /v1/records").body(body)).await.body();
    let id = made["id"].as_str().unwrap();
    let path = "/v1/records/{record_id}/follow";
    let follows = async |person: Person| {
        let answer =
            world.send(Call::to(&format!("GET {path}")).by(person).path("record_id", id)).await;
        answer.body()["follows"].as_bool().unwrap()
    };
    let follow = async |person: Person, follows: Value| {
        let call = Call::to(&format!("PUT {path}")).by(person).path("record_id", id);
        world.send(call.body(json!({ "follows": follows }))).await
    };
    assert!(follows(Person::A).await && follows(Person::Member).await);
    assert!(!follows(Person::Viewer).await);
    assert_eq!(follow(Person::Viewer, json!(true)).await.status(), 204);
    assert_eq!(follow(Person::A, json!(false)).await.status(), 204);
    assert_eq!((follows(Person::Viewer).await, follows(Person::A).await), (true, false));
    let change = Call::to("PATCH /v1/records/{record_id}").by(Person::Admin).path("record_id", id);
    let change = change.header("if-match", "\"1\"").body(json!({ "title": "Crack, grown" }));
    assert_eq!(world.send(change).await.status(), 200);
    let says = Call::to(ADD).by(Person::Admin).path("record_id", id);
    let says = says.body(json!({ "text": "Since Monday", "mentions": [Person::A.user()] }));
    assert_eq!(world.send(says).await.status(), 201);
    let by_admin = |reasons: &[&str]| reasons.iter().map(|it| from(it, Person::Admin)).collect();
    let both: Vec<_> = by_admin(&["changed", "commented"]);
    let sorted = async |person: Person| {
        let mut told = told(&world, person).await.0;
        told.sort();
        told
    };
    assert_eq!(sorted(Person::Viewer).await, both);
    // Whoever is called by name hears it all the same.
    assert_eq!(sorted(Person::A).await, by_admin(&["mentioned"]) as Vec<_>);
    let before = index(&world).await;
    lose(&world, "INDEX_TABLE", |_| true).await;
    world.cloud.invoke("build-index", json!({})).await.unwrap();
    assert_eq!(index(&world).await, before);
    // Back again, and as often as somebody likes.
    for _ in 0..2 {
        assert_eq!(follow(Person::A, json!(true)).await.status(), 204);
    }
    assert!(follows(Person::A).await);
    assert_eq!(follow(Person::A, json!("yes")).await.problem().2, "/follows");
    assert_eq!(follow(Person::B, json!(true)).await.status(), 404);
    // More than a change can tell do not fit.
    let records = testing::operator::items(&world.cloud, "RECORDS_TABLE").await;
    let key = format!("FOLLOWERS#{id}");
    let mut chosen = records.into_iter().find(|it| it["sk"].as_s() == Ok(&key)).unwrap();
    let many = (0..14).map(|n| format!("01KEZ00000PERSNQQQQQQQQQ{n:02}"));
    let many = many.chain([Person::Viewer.user().to_string()]).collect();
    testing::forge::set_texts(&mut chosen, "follow", many);
    testing::operator::put_item(&world.cloud, "RECORDS_TABLE", chosen).await;
    assert_eq!(follow(Person::Admin, json!(true)).await.code(), "too_many_followers");
    assert_eq!(follow(Person::Viewer, json!(true)).await.status(), 204, "who is among them stays");
}

async fn wants_mail(world: &World, person: Person, daily: bool) -> Answer {
    let call = Call::to("PUT /v1/inbox/mail").by(person).body(json!({ "daily": daily }));
    world.send(call).await
}

/// What became of the mails of a morning: how many are wanted, and how many were sent.
async fn morning(world: &World) -> (Value, Value) {
    let outcome = world.cloud.invoke("send-daily-mail", json!({})).await.unwrap();
    assert_eq!(outcome["failed"], 0, "{outcome}");
    (outcome["wanted"].clone(), outcome["sent"].clone())
}

#[tokio::test]
async fn who_wants_it_gets_a_mail_of_what_they_have_not_read_once_a_day() {
    let world = World::new().await;
    for person in [Person::A, Person::Member, Person::B] {
        assert_eq!(wants_mail(&world, person, true).await.status(), 204);
    }
    assert_eq!(inbox(&world, Person::A).await["daily_mail"], true);
    assert_eq!(inbox(&world, Person::Admin).await["daily_mail"], false);
    assert_eq!(morning(&world).await, (json!(3), json!(0)), "nobody has anything to be told");
    story(&world).await;
    // The admin is told too, and wants no mail. The member has read it.
    let read = inbox(&world, Person::Member).await["notices"][0]["id"].clone();
    assert_eq!(mark(&world, Person::Member, &[read.as_str().unwrap()]).await.status(), 204);
    assert_eq!(morning(&world).await, (json!(3), json!(1)));
    let sent = letters(world.folder());
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].to, Person::A.email().as_str());
    for line in ["has commented on: DEV-1 Crack in the hook", "has changed: DEV-1 Crack", "/inbox"]
    {
        assert!(sent[0].text.contains(line), "{}", sent[0].text);
    }
    assert_eq!(morning(&world).await, (json!(3), json!(0)), "tried again, it is not sent again");
    assert_eq!(wants_mail(&world, Person::A, false).await.status(), 204);
    assert_eq!(morning(&world).await.0, 2);
    assert_eq!(inbox(&world, Person::A).await["daily_mail"], false);
}

#[tokio::test]
async fn who_is_gone_or_has_no_address_gets_no_mail() {
    let world = World::new().await;
    assert_eq!(wants_mail(&world, Person::Member, true).await.status(), 204);
    story(&world).await;
    let remove = Call::to("DELETE /v1/people/{user_id}");
    let remove = remove.path("user_id", &Person::Member.user().to_string());
    let removed = world.send(remove.header("if-match", "\"1\"")).await;
    assert_eq!(removed.status(), 204, "{removed:?}");
    assert_eq!(morning(&world).await, (json!(1), json!(0)));
    let accounts = testing::operator::items(&world.cloud, "ACCOUNTS_TABLE").await;
    let key = format!("USER#{}", Person::A.user());
    let mut card = accounts.into_iter().find(|it| it["sk"].as_s() == Ok(&key)).unwrap();
    testing::forge::set_text(&mut card, "sk", &key.replace("USER", "CARD"));
    testing::forge::set_text(&mut card, "name", "Eva Ek");
    testing::forge::set_text(&mut card, "sign_in", "eva@verkstad");
    testing::operator::put_item(&world.cloud, "ACCOUNTS_TABLE", card).await;
    assert_eq!(wants_mail(&world, Person::A, true).await.code(), "no_address");
    assert_eq!(wants_mail(&world, Person::A, false).await.status(), 204);
    let world = world.restarted(&[("MailDomain", "")]).await;
    assert_eq!(wants_mail(&world, Person::Admin, true).await.code(), "no_mail");
    assert_eq!(morning(&world).await, (json!(0), json!(0)));
}
