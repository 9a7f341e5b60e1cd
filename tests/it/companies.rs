//! Companies: what they are called, which of them somebody works at, and what an operator says of them.

use serde_json::{Value, json};

use testing::operator;
use testing::world::{Call, PASSWORD, Person, World, event};

use crate::people::{code, invite, log_in, with};

fn rename(name: &str, version: u64) -> Call {
    let call = Call::to("PUT /v1/customer").with("name", json!(name));
    call.header("if-match", &format!("\"{version}\""))
}

#[tokio::test]
async fn an_owner_renames_the_company_and_its_short_name_stays() {
    let world = World::new().await;
    let renamed = world.send(rename("Verkstad i Norr AB", 1)).await;
    assert_eq!((renamed.status(), renamed.header("etag")), (200, "\"2\""));
    assert_eq!(code(&world.send(rename("Verkstad", 1)).await), (412, "stale_version".into()));
    for (short_name, version, expected) in [
        ("verkstad", 2, (200, "")),
        ("annan", 3, (409, "short_name_stays")),
        ("a.b", 3, (422, "invalid_field")),
    ] {
        let again = rename("Verkstad i Norr AB", version).with("short_name", json!(short_name));
        let answer = world.send(again).await;
        assert_eq!(code(&answer), (expected.0, expected.1.to_owned()), "{short_name}");
    }
    let shown = world.ask("GET /v1/customer").await.body();
    assert_eq!((&shown["name"], &shown["version"]), (&json!("Verkstad i Norr AB"), &json!(3)));
}

#[tokio::test]
async fn a_company_of_an_earlier_release_takes_a_short_name_that_no_other_has() {
    let world = World::new().await;
    // As it was stored before there were short names.
    forget_short_name(&world).await;
    let taken = rename("Verkstad AB", 1).with("short_name", json!("norr"));
    assert_eq!(code(&world.send(taken).await), (409, "short_name_taken".into()));
    let free = rename("Verkstad AB", 1).with("short_name", json!("Verkstaden"));
    assert_eq!(world.send(free).await.body()["short_name"], "verkstaden");
    let invited = world.send(invite("member")).await.body();
    let accept = Call::to("POST /v1/acceptances").with("token", invited["token"].clone());
    let accept = accept.with("sign_in_name", json!("ida@verkstaden"));
    assert_eq!(world.send(accept).await.status(), 201);
}

async fn forget_short_name(world: &World) {
    let customer = Person::A.customer().to_string();
    let mut item = operator::item(&world.cloud, "ACCOUNTS_TABLE", (&customer, "CUSTOMER")).await;
    let content = json!({ "name": "Verkstad AB" }).to_string();
    item.insert("content".into(), aws_sdk_dynamodb::types::AttributeValue::S(content));
    operator::put_item(&world.cloud, "ACCOUNTS_TABLE", item).await;
}

#[tokio::test]
async fn a_person_of_two_companies_switches_in_one_call_and_back() {
    let world = World::with_record().await;
    let invited = world.send(invite("viewer")).await.body();
    let join = Call::to("POST /v1/memberships").with("token", invited["token"].clone());
    assert_eq!(world.send(join).await.status(), 201);
    let switch = |to: Person| Call::to("PUT /v1/session").with("customer_id", json!(to.customer()));
    let there = world.send(switch(Person::A).by(Person::B)).await;
    assert_eq!(there.status(), 201, "{there:?}");
    let token = &there.body()["token"];
    let record = world.send(with(Call::to("GET /v1/records/{record_id}"), token)).await;
    assert_eq!(record.status(), 200);
    let change = with(Call::to("PUT /v1/records/{record_id}"), token);
    assert_eq!(code(&world.send(change).await), (403, "role_too_low".into()), "a viewer there");
    let back = world.send(with(switch(Person::B).with("delivery", json!("cookie")), token)).await;
    assert_eq!(
        (back.status(), back.body()["customer_id"].clone()),
        (201, json!(Person::B.customer()))
    );
    assert!(back.body()["token"].is_null(), "it is a cookie");
    assert_eq!(code(&world.send(switch(Person::B)).await), (403, "no_company".into()));
}

#[tokio::test]
async fn an_operator_sees_companies_suspends_one_and_lets_it_work_again() {
    let world = World::with_record().await;
    assert_eq!(world.ask("POST /v1/records").await.status(), 201);
    let companies = async || {
        world.cloud.invoke("list-customers", json!({})).await.unwrap()["customers"].clone()
    };
    let all = companies().await;
    let of = |all: &Value, person: Person| {
        let id = json!(person.customer());
        all.as_array().unwrap().iter().find(|it| it["id"] == id).unwrap().clone()
    };
    let a = of(&all, Person::A);
    assert_eq!(
        (&a["people"], &a["used"]["records"], &a["short_name"]),
        (&json!(6), &json!(2), &json!("verkstad"))
    );
    assert_eq!(of(&all, Person::B)["people"], 1);

    world.cloud.invoke("suspend-customer", event("accounts/suspend/ok")).await.unwrap();
    let session = Call::to("GET /v1/session").by(Person::B);
    assert_eq!(world.send(session.clone()).await.status(), 401);
    assert_eq!(
        code(&world.send(log_in("b@example.com", PASSWORD)).await),
        (403, "suspended".into())
    );
    assert_eq!(world.send(session.by(Person::A)).await.status(), 200, "others work on");
    assert_eq!(of(&companies().await, Person::B)["suspended"], "No invoice was paid since May.");

    world.cloud.invoke("suspend-customer", event("accounts/suspend/resume")).await.unwrap();
    let back =
        world.send(log_in("b@example.com", PASSWORD).header("idempotency-key", "back")).await;
    assert_eq!(back.status(), 201, "{back:?}");
    assert!(of(&companies().await, Person::B)["suspended"].is_null());
    for bad in [
        json!({ "customer": Person::B.customer(), "reason": " " }),
        json!({ "customer": testing::world::UNKNOWN_ID }),
    ] {
        assert!(world.cloud.invoke("suspend-customer", bad.clone()).await.is_err(), "{bad}");
    }
    let evening = world.cloud.run_evening(|_| {}).await.unwrap();
    assert!(evening.verdicts.iter().all(|(_, verdict)| verdict == "SUCCESSFUL"), "{evening:?}");
}

#[tokio::test]
async fn an_owner_sets_the_time_zone_and_the_language_and_letters_are_in_it() {
    let world = World::new().await;
    let change = |name: &str, value: Value, version: u64| {
        let call = Call::to("PUT /v1/customer").body(json!({ "name": "Verkstad AB" }));
        call.with(name, value).header("if-match", &format!("\"{version}\""))
    };
    for zone in [json!("Europe/Gothenburg"), json!("../etc"), json!(7), json!("")] {
        let answer = world.send(change("time_zone", zone.clone(), 1)).await;
        assert_eq!(answer.problem(), (422, "invalid_field".into(), "/time_zone".into()), "{zone}");
    }
    let refused = world.send(change("language", json!("fr"), 1)).await;
    assert_eq!(refused.problem(), (422, "invalid_field".into(), "/language".into()));
    let zone = world.send(change("time_zone", json!("europe/stockholm"), 1)).await;
    assert_eq!(zone.status(), 200, "{zone:?}");
    let language = world.send(change("language", json!("de"), 2)).await.body();
    assert_eq!(language["time_zone"], "Europe/Stockholm", "what is left out stays");
    assert_eq!(language["language"], "de");
    assert_eq!(world.ask("GET /v1/customer").await.body()["language"], "de");
    let invite = Call::to("POST /v1/invitations").with("email", json!("kurt@example.com"));
    assert_eq!(world.send(invite).await.status(), 201);
    let letter = testing::letters::newest_letter(world.folder(), "kurt@example.com");
    assert_eq!(letter.subject, "Einladung zu Verkstad AB");
}

#[tokio::test]
async fn an_operator_exports_what_each_company_uses_and_no_name_is_a_formula() {
    let world = World::with_record().await;
    world.let_program_in(domain::Role::Viewer, &[domain::Scope::Records]).await;
    let rename = Call::to("PUT /v1/customer").body(json!({ "name": "=1+1;\"B\" AB" }));
    let rename = rename.by(Person::B).header("if-match", "\"1\"");
    assert_eq!(world.send(rename).await.status(), 200);
    let exported = world.cloud.invoke("export-usage", json!({})).await.unwrap();
    let csv = exported["csv"].as_str().unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "customer;name;since;suspended;people;programs;bytes;versions;records");
    assert_eq!(lines.len(), 3);
    let (a, b) = (Person::A.customer(), Person::B.customer());
    assert!(lines[1].starts_with(&format!("{a};\"Verkstad AB\";")), "{}", lines[1]);
    assert!(lines[1].ends_with(";false;6;1;18;1;1"), "{}", lines[1]);
    assert!(lines[2].starts_with(&format!("{b};\"'=1+1;\"\"B\"\" AB\";")), "{}", lines[2]);
}
