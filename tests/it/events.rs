//! What happens to the security of a company: told to its admins, and of new devices, to the person.

use std::time::Duration;

use serde_json::{Value, json};
use testing::letters::{letters, newest_letter};
use testing::world::{Call, PASSWORD, Person, World};

use crate::people::{MORNING, invite, log_in};

async fn events(world: &World) -> Vec<Value> {
    let answer = world.ask("GET /v1/events").await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    answer.body()["events"].as_array().unwrap().clone()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

/// A log-in of customer A's owner from somewhere.
fn from(source: &str, device: &str, password: &str, key: &str) -> Call {
    log_in(Person::A.email().as_str(), password)
        .header("idempotency-key", key)
        .header("user-agent", device)
        .source(source)
}

#[tokio::test]
async fn admins_see_who_logged_in_failed_and_was_let_in_and_nobody_else_does() {
    let mut world = World::new().await;
    world.now = world.now.after(Duration::from_secs(60));
    assert_eq!(world.send(from("192.0.2.7", "Phone", "wrong", "1")).await.status(), 401);
    world.now = world.now.after(Duration::from_secs(1));
    assert_eq!(world.send(from("192.0.2.7", "Phone", PASSWORD, "2")).await.status(), 201);
    world.now = world.now.after(Duration::from_secs(1));
    assert_eq!(world.send(invite("viewer")).await.status(), 201);
    let seen = events(&world).await;
    assert_eq!(kinds(&seen[..3]), ["person_invited", "logged_in", "log_in_failed"]);
    let a = json!(Person::A.user());
    assert_eq!((&seen[0]["by"], &seen[0]["device"]), (&a, &json!(null)));
    assert_eq!((&seen[1]["by"], &seen[1]["device"]), (&a, &json!("Phone")));
    // Who has failed is not known: it is about A.
    assert_eq!((&seen[2]["by"], &seen[2]["whom"]), (&json!(null), &a));
    assert_eq!(seen[2]["source"], "192.0.2.7");
    for (person, status) in
        [(Person::Viewer, 403), (Person::Member, 403), (Person::Admin, 200), (Person::B, 200)]
    {
        let answer = world.send(Call::to("GET /v1/events").by(person)).await;
        assert_eq!(answer.status(), status, "{person:?}");
        if person == Person::B {
            let text = answer.body().to_string();
            assert!(!text.contains(&Person::A.user().to_string()), "{text}");
        }
    }
}

#[tokio::test]
async fn every_change_of_people_passwords_and_settings_is_an_event() {
    let mut world = World::new().await;
    let person = format!("/v1/people/{}", Person::Leaver.user());
    let mut told = Vec::new();
    let steps: Vec<(Call, &str)> = vec![
        (Call::to("PUT /v1/customer"), "company_changed"),
        (Call::to("DELETE /v1/invitations/{invitation_id}"), "invitation_withdrawn"),
        (Call::to("PUT /v1/people/{user_id}"), "role_changed"),
        (Call::to("POST /v1/people/{user_id}/password-resets"), "password_reset_made"),
        (Call::to("DELETE /v1/sessions"), "sessions_ended"),
        (Call::to("PUT /v1/password"), "password_changed"),
    ];
    for (call, kind) in steps {
        world.now = world.now.after(Duration::from_secs(1));
        let answer = world.send(call).await;
        assert!(answer.status() < 300, "{kind}: {answer:?}");
        told.insert(0, kind);
        assert_eq!(kinds(&events(&world).await)[..told.len()], told, "{person}");
    }
    world.now = world.now.after(Duration::from_secs(1));
    let customer = json!(Person::A.customer());
    let order = json!({ "customer": customer, "bytes": 1, "versions": null, "records": null });
    world.cloud.invoke("set-quota", order).await.unwrap();
    // Of the machine's own clock, which is behind the world's.
    let seen = events(&world).await;
    let quota = seen.iter().find(|event| event["kind"] == "quota_changed").unwrap();
    assert_eq!(quota["by"], json!(null), "whoever runs the service");
}

#[tokio::test]
async fn events_come_a_page_at_a_time_and_none_twice() {
    let mut world = World::new().await;
    for n in 0..7 {
        world.now = world.now.after(Duration::from_millis(1));
        let call = from("192.0.2.7", "Phone", PASSWORD, &format!("log-in-{n}"));
        assert_eq!(world.send(call).await.status(), 201);
    }
    let all = events(&world).await;
    let (mut paged, mut query) = (Vec::new(), "limit=3".to_owned());
    loop {
        let page = world.send(Call::to("GET /v1/events").query(&query)).await.body();
        paged.extend(page["events"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("limit=3&cursor={cursor}");
    }
    assert_eq!(paged, all);
    assert!(all.len() >= 7);
    for cursor in ["x", "AAAA", "MTIzLnp6"] {
        let call = Call::to("GET /v1/events").query(&format!("cursor={cursor}"));
        assert_eq!(world.send(call).await.problem().0, 422, "{cursor}");
    }
}

#[tokio::test]
async fn a_person_is_told_of_a_device_that_they_never_used_and_of_no_other() {
    let world = World::new().await;
    let log_in = async |device: &str, key: &str| {
        let call = from("192.0.2.7", device, PASSWORD, key).header("accept-language", "sv-SE, en");
        assert_eq!(world.send(call).await.status(), 201, "{device}");
        letters(world.folder()).len()
    };
    assert_eq!(log_in("Firefox/150", "1").await, 0, "the first one is no news");
    assert_eq!(log_in("Firefox/151", "2").await, 0, "nor is a newer version of it");
    assert_eq!(log_in("Safari/19 (iPhone)", "3").await, 1);
    assert_eq!(log_in("Safari/19 (iPhone)", "4").await, 1);
    let letter = newest_letter(world.folder(), Person::A.email().as_str());
    assert_eq!(letter.subject, "Ny inloggning");
    assert!(letter.text.contains("Enhet: Safari/19 (iPhone)\n"), "{}", letter.text);
    let seen = events(&world).await;
    let new = seen.iter().filter(|event| event["kind"] == "logged_in_from_new_device");
    assert_eq!(new.count(), 1);
}

#[tokio::test]
async fn failures_from_everywhere_make_strangers_wait_and_not_who_logged_in_there_before() {
    let mut world = World::new().await;
    let name = Person::A.email();
    let nobody = "nobody@example.com";
    assert_eq!(world.send(from("192.0.2.7", "Phone", PASSWORD, "home")).await.status(), 201);
    let mut waits = Vec::new();
    for name in [name.as_str(), nobody] {
        let mut waited = Vec::new();
        for n in 0..24 {
            // Each from a network of its own: none of them has tried often.
            let call = log_in(name, "wrong").source(&format!("198.51.100.{n}"));
            let answer = world.send(call).await;
            waited.push((answer.status(), answer.header("retry-after").to_owned()));
        }
        waits.push(waited);
    }
    assert_eq!(waits[0], waits[1], "a name that nobody has is treated alike");
    let statuses: Vec<u64> = waits[0].iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [vec![401; 20], vec![429; 4]].concat());
    // The person is not kept out where they were before, and elsewhere after a moment.
    assert_eq!(world.send(from("192.0.2.7", "Phone", PASSWORD, "again")).await.status(), 201);
    let away = || from("203.0.113.9", "Phone", PASSWORD, "away");
    assert_eq!(world.send(away()).await.status(), 429);
    world.now = world.now.after(Duration::from_secs(2));
    assert_eq!(world.send(away()).await.status(), 201);
    // And from then on that place is known, too.
    for n in 30..34 {
        world.now = world.now.after(Duration::from_secs(40));
        let call = log_in(name.as_str(), "wrong").source(&format!("198.51.100.{n}"));
        assert_eq!(world.send(call).await.status(), 401, "{n}");
    }
    let again = from("203.0.113.9", "Phone", PASSWORD, "away-again");
    assert_eq!(world.send(again).await.status(), 201);
}

#[tokio::test]
async fn a_person_of_two_companies_is_seen_at_each_as_a_user_of_that_one() {
    let mut world = World::new().await;
    let invited = world.send(invite("member").by(Person::B)).await.body();
    let join = Call::to("POST /v1/memberships").with("token", invited["token"].clone());
    let join = join.with("sign_in_name", json!(Person::Member.email().as_str()));
    let joined = world.send(join.with("password", json!(PASSWORD))).await;
    assert_eq!(joined.status(), 201, "{joined:?}");
    world.now = world.now.after(Duration::from_secs(1));
    let failed = log_in(Person::Member.email().as_str(), MORNING);
    assert_eq!(world.send(failed).await.status(), 401);
    let at_b = joined.body()["user"]["id"].clone();
    for (by, user) in [(Person::A, json!(Person::Member.user())), (Person::B, at_b)] {
        let answer = world.send(Call::to("GET /v1/events").by(by)).await.body();
        assert_eq!(answer["events"][0]["kind"], "log_in_failed", "{by:?}");
        assert_eq!(answer["events"][0]["whom"], user, "{by:?}");
    }
}
