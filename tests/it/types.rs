//! Types of records: what a company defines, and what its records are held against.

use serde_json::{Value, json};

use testing::world::{Call, Person, World};

/// A record of a defined type, or what is wrong with it.
fn create(n: u32, body: Value) -> Call {
    Call::to("POST /v1/records").header("idempotency-key", &format!("record-{n}")).body(body)
}

fn deviation(fields: Value) -> Value {
    json!({ "type": "deviation", "title": "Oil leak", "fields": fields })
}

fn form() -> Value {
    json!({
        "labels": { "en": "Tool" },
        "number_prefix": "TOOL",
        "states": [
            { "name": "here", "labels": { "en": "Here" }, "open": true, "next": ["gone"] },
            { "name": "gone", "labels": { "en": "Gone" }, "open": false },
        ],
        "fields": [
            { "name": "torque", "labels": { "en": "Torque" }, "kind": "number", "min": 0, "required": true },
        ],
    })
}

fn define(form: Value) -> Call {
    Call::to("POST /v1/types").body(json!({ "type": "tool", "form": form }))
}

fn rules(answer: &Value) -> Vec<(String, String)> {
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    errors.iter().map(|it| (text(&it["field"]), text(&it["rule"]))).collect()
}

#[tokio::test]
async fn a_company_begins_with_four_types_and_may_define_more() {
    let world = World::new().await;
    let list = world.ask("GET /v1/types").await.body();
    let names: Vec<&str> =
        list["types"].as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(names, ["deviation", "inspection", "machine", "service_order"]);
    assert_eq!(list["starters"], json!([]));

    let made = world.send(define(form())).await;
    assert_eq!((made.status(), made.header("location")), (201, "/v1/types/tool"));
    assert_eq!(made.body()["form"], form());
    assert_eq!(world.send(define(form())).await.body(), made.body(), "the same attempt");
    let again = define(form()).header("idempotency-key", "another");
    assert_eq!(world.send(again).await.problem(), (409, "type_exists".into(), String::new()));
    let read = world.send(Call::to("GET /v1/types/{type}").path("type", "tool")).await;
    assert_eq!(read.body(), made.body());
    let theirs = Call::to("GET /v1/types/{type}").path("type", "tool").by(Person::B);
    assert_eq!(world.send(theirs).await.problem().0, 404);
}

#[tokio::test]
async fn a_company_has_fifty_types_at_most() {
    let world = World::new().await;
    let define = |n: u32| {
        let body = json!({ "type": format!("tool_{n}"), "form": { "labels": { "en": "Tool" } } });
        Call::to("POST /v1/types").header("idempotency-key", &format!("type-{n}")).body(body)
    };
    for n in 4..50 {
        assert_eq!(world.send(define(n)).await.status(), 201, "{n}");
    }
    let refused = world.send(define(50)).await;
    assert_eq!(refused.problem(), (409, "too_many_types".into(), String::new()));
}

#[tokio::test]
async fn a_form_that_makes_no_sense_is_refused_with_all_its_faults() {
    let world = World::new().await;
    let mut bad = form();
    bad["states"][0]["open"] = json!(false);
    bad["fields"][0]["options"] = json!([{ "name": "x", "labels": { "en": "X" } }]);
    let refused = world.send(define(bad)).await;
    assert_eq!(refused.problem(), (422, "invalid_field".into(), "/form/states/0/open".into()));
    let rules = rules(&refused.body());
    assert_eq!(rules[1], ("/form/fields/0/options".to_owned(), "not_of_kind".to_owned()));
    for (member, value, field) in [
        ("kind", json!("hologram"), "/form/fields/0/kind"),
        ("name", json!("Torque"), "/form/fields/0/name"),
        ("colour", json!("red"), "/form/fields/0/colour"),
        ("labels", json!({ "fr": "Couple" }), "/form/fields/0/labels/fr"),
    ] {
        let mut bad = form();
        bad["fields"][0][member] = value;
        assert_eq!(
            world.send(define(bad)).await.problem(),
            (422, "invalid_field".into(), field.into())
        );
    }
    let missing = Call::to("GET /v1/types/{type}").path("type", "tool");
    assert_eq!(world.send(missing).await.status(), 404, "nothing is kept");
}

#[tokio::test]
async fn a_record_is_held_against_its_type() {
    let world = World::new().await;
    let made = world.send(create(1, deviation(json!({ "severity": "high" })))).await;
    assert_eq!(made.status(), 201);
    let body = made.body();
    assert_eq!(
        (&body["number"], &body["state"], &body["open"], &body["type_version"]),
        (&json!("DEV-1"), &json!("reported"), &json!(true), &json!(1))
    );
    let bad =
        world.send(create(2, deviation(json!({ "severity": "worst", "sevrity": "low" })))).await;
    assert_eq!(bad.problem(), (422, "invalid_field".into(), "/fields/severity".into()));
    assert_eq!(bad.body()["rule"], "not_an_option");
    let unknown = ("/fields/sevrity".to_owned(), "unknown_field".to_owned());
    assert_eq!(rules(&bad.body())[1], unknown);
    // What was refused took no number.
    let next = world.send(create(3, deviation(json!({})))).await.body();
    assert_eq!(next["number"], "DEV-2");
    // A type that nobody has defined has free fields, and no states.
    let free = json!({ "type": "idea", "title": "x", "fields": { "any": [1, { "b": null }] } });
    let free = world.send(create(4, free)).await.body();
    assert_eq!(
        (free.get("number"), free.get("state"), free.get("type_version")),
        (None, None, None)
    );
    let stated = json!({ "type": "idea", "title": "x", "state": "new" });
    let refused = world.send(create(5, stated)).await;
    assert_eq!(refused.problem(), (422, "invalid_field".into(), "/state".into()));
}

#[tokio::test]
async fn a_record_moves_through_its_states_and_is_complete_when_it_is_closed() {
    let world = World::new().await;
    let made = world.send(create(1, deviation(json!({})))).await.body();
    let id = made["id"].as_str().unwrap().to_owned();
    let patch = |version: u64, body: Value| {
        let call = Call::to("PATCH /v1/records/{record_id}").path("record_id", &id);
        call.header("if-match", &format!("\"{version}\"")).body(body)
    };
    let incomplete = world.send(patch(1, json!({ "state": "done" }))).await;
    assert_eq!(incomplete.problem(), (422, "invalid_field".into(), "/fields/action".into()));
    assert_eq!(incomplete.body()["rule"], "required");
    let done = patch(1, json!({ "state": "done", "fields": { "action": "Welded" } }));
    let done = world.send(done).await;
    assert_eq!((done.status(), &done.body()["open"]), (200, &json!(false)));
    let back = world.send(patch(2, json!({ "state": "reported" }))).await;
    assert_eq!(back.problem(), (422, "invalid_field".into(), "/state".into()));
    assert_eq!(back.body()["arguments"], json!({ "from": "done" }));
    let again =
        world.send(patch(2, json!({ "state": "in_progress", "fields": { "action": null } }))).await;
    assert_eq!((again.status(), &again.body()["open"]), (200, &json!(true)));
    assert_eq!(again.body()["fields"], json!({}));
    assert_eq!(again.body()["number"], "DEV-1", "it stays");
}

#[tokio::test]
async fn what_an_older_client_does_not_know_stays_and_null_clears_it() {
    let world = World::new().await;
    let mut body = deviation(json!({}));
    let machine =
        world.send(create(1, json!({ "type": "machine", "title": "Lathe 3" }))).await.body();
    body["about"] = machine["id"].clone();
    body["due"] = json!("2026-12-24");
    body["assignees"] = json!([Person::A.user()]);
    let made = world.send(create(2, body)).await.body();
    let id = made["id"].as_str().unwrap().to_owned();
    let put = |version: u64, body: Value| {
        let call = Call::to("PUT /v1/records/{record_id}").path("record_id", &id);
        call.header("if-match", &format!("\"{version}\"")).body(body)
    };
    let older =
        world.send(put(1, json!({ "type": "deviation", "title": "Oil leak!" }))).await.body();
    for member in ["about", "due", "assignees", "state", "number", "type_version"] {
        assert_eq!(older[member], made[member], "{member}");
    }
    let mut cleared = json!({ "type": "deviation", "title": "Oil leak" });
    for member in ["about", "due", "assignees"] {
        cleared[member] = Value::Null;
    }
    let cleared = world.send(put(2, cleared)).await.body();
    assert_eq!(
        (cleared.get("about"), cleared.get("due"), cleared.get("assignees")),
        (None, None, None)
    );
    assert_eq!(cleared["state"], "reported");

    for (member, value, field) in [
        ("about", json!(id), "/about"),
        ("about", json!("x"), "/about"),
        ("due", json!("2026-02-30"), "/due"),
        ("assignees", json!([Person::B.user()]), "/assignees/0"),
        ("assignees", json!([Person::A.user(), Person::A.user()]), "/assignees/1"),
        ("assignees", json!(vec![Person::A.user(); 21]), "/assignees"),
        ("state", json!("nowhere"), "/state"),
        ("number", json!("DEV-7"), "/number"),
        ("type_version", json!(9), "/type_version"),
    ] {
        let mut bad = json!({ "type": "deviation", "title": "Oil leak" });
        bad[member] = value;
        let refused = world.send(put(3, bad)).await;
        assert_eq!(refused.problem(), (422, "invalid_field".into(), field.into()), "{member}");
    }
}

#[tokio::test]
async fn a_draft_is_accepted_under_the_version_it_was_made_with() {
    let world = World::new().await;
    world.send(define(form())).await;
    let before = json!({ "type": "tool", "title": "Wrench", "fields": { "torque": 5 } });
    let old = world.send(create(1, before.clone())).await.body();
    let mut changed = form();
    changed["fields"] = json!([{ "name": "size", "labels": { "en": "Size" }, "kind": "text" }]);
    let update =
        Call::to("PUT /v1/types/{type}").path("type", "tool").body(json!({ "form": changed }));

    let asked = world.send(update.clone().query("dry_run=true")).await;
    assert_eq!((asked.status(), &asked.body()["version"]), (200, &json!(1)));
    let effect = &asked.body()["effect"];
    assert_eq!(effect["records"], 1);
    assert_eq!(effect["fields_out_of_sight"], json!(["torque"]));
    let made = world.send(update.clone()).await;
    assert_eq!((made.header("etag"), &made.body()["effect"]), ("\"2\"", effect));
    assert_eq!(world.send(update).await.problem().1, "stale_version");

    // A new one is of the new form, a draft of the old one may say so.
    let refused = world.send(create(2, before.clone())).await;
    assert_eq!(refused.problem(), (422, "invalid_field".into(), "/fields/torque".into()));
    let mut draft = before.clone();
    draft["type_version"] = json!(1);
    let draft = world.send(create(3, draft)).await;
    assert_eq!((draft.status(), &draft.body()["type_version"]), (201, &json!(1)));
    // What is there stays under its version until somebody lifts it; what is out of sight is not lost.
    let id = old["id"].as_str().unwrap().to_owned();
    let patch = |version: u64, body: Value| {
        let call = Call::to("PATCH /v1/records/{record_id}").path("record_id", &id);
        call.header("if-match", &format!("\"{version}\"")).body(body)
    };
    let kept = world.send(patch(1, json!({ "fields": { "torque": 6 } }))).await.body();
    assert_eq!((&kept["type_version"], &kept["fields"]["torque"]), (&json!(1), &json!(6)));
    let lifted =
        world.send(patch(2, json!({ "type_version": 2, "fields": { "size": "M8" } }))).await;
    assert_eq!(lifted.body()["fields"], json!({ "size": "M8", "torque": 6 }));
    let old_form = Call::to("GET /v1/types/{type}").path("type", "tool").query("version=1");
    assert_eq!(world.send(old_form).await.body()["form"], form());
}

#[tokio::test]
async fn of_a_type_that_is_retired_no_records_are_made() {
    let world = World::new().await;
    world.send(define(form())).await;
    let mut retired = form();
    retired["retired"] = json!(true);
    let update =
        Call::to("PUT /v1/types/{type}").path("type", "tool").body(json!({ "form": retired }));
    assert_eq!(world.send(update).await.status(), 200);
    let refused = world.send(create(1, json!({ "type": "tool", "title": "x" }))).await;
    assert_eq!(refused.problem(), (422, "invalid_field".into(), "/type".into()));
}

#[tokio::test]
async fn a_draft_of_a_retired_version_is_refused_and_one_from_before_is_not() {
    let world = World::new().await;
    world.send(define(form())).await;
    let mut retired = form();
    retired["retired"] = json!(true);
    let update = Call::to("PUT /v1/types/{type}").path("type", "tool");
    assert_eq!(world.send(update.body(json!({ "form": retired }))).await.status(), 200);
    let draft =
        |n, version| create(n, json!({ "type": "tool", "title": "x", "type_version": version }));
    let refused = world.send(draft(1, 2)).await;
    assert_eq!(refused.problem(), (422, "invalid_field".into(), "/type".into()));
    assert_eq!(world.send(draft(2, 1)).await.status(), 201);
}

#[tokio::test]
async fn a_record_of_a_defined_type_keeps_its_type_and_has_a_state() {
    let world = World::new().await;
    let made = world.send(create(1, deviation(json!({})))).await.body();
    let put = |body: Value| {
        let call = Call::to("PUT /v1/records/{record_id}");
        call.path("record_id", made["id"].as_str().unwrap()).body(body)
    };
    for record_type in ["service_order", "machine", "idea"] {
        let other = world.send(put(json!({ "type": record_type, "title": "x" }))).await;
        assert_eq!(other.problem(), (422, "invalid_field".into(), "/type".into()), "{record_type}");
    }
    let free = world.send(create(2, json!({ "type": "idea", "title": "x" }))).await.body();
    let call =
        Call::to("PUT /v1/records/{record_id}").path("record_id", free["id"].as_str().unwrap());
    let another = world.send(call.body(json!({ "type": "thought", "title": "x" }))).await;
    assert_eq!(another.status(), 200, "free fields go with any type");
    let cleared = json!({ "type": "deviation", "title": "x", "state": null, "type_version": null });
    let cleared = world.send(put(cleared)).await.body();
    assert_eq!((&cleared["state"], &cleared["type_version"]), (&json!("reported"), &json!(1)));
}

#[tokio::test]
async fn a_type_that_is_no_name_of_one_is_not_there() {
    let world = World::new().await;
    for name in ["Deviation", "x#y", "%20", &"x".repeat(1_100), "å"] {
        for call in ["GET /v1/types/{type}", "GET /v1/types/{type}/schema", "PUT /v1/types/{type}"]
        {
            let answer = world.send(Call::to(call).path("type", name)).await;
            assert_eq!(answer.problem().0, 404, "{call} {name}");
        }
    }
}

#[tokio::test]
async fn numbers_are_given_once_to_writers_at_once() {
    let world = World::new().await;
    let create = |n: u32| world.send(create(n, deviation(json!({}))));
    let answers = futures_util::future::join_all((0..20).map(create)).await;
    let mut numbers: Vec<String> =
        answers.iter().map(|it| it.body()["number"].as_str().unwrap().to_owned()).collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 20);
    // A counter that is lost is found again by the index.
    let items = testing::operator::items(&world.cloud, "RECORDS_TABLE").await;
    assert!(items.iter().any(|it| it["sk"].as_s().is_ok_and(|sk| sk == "COUNTER#deviation")));
}

#[tokio::test]
async fn a_form_is_json_schema_for_programs() {
    let world = World::new().await;
    let schema = world.ask("GET /v1/types/{type}/schema").await.body();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["title"], "Deviation");
    assert_eq!(schema["required"], json!(["action"]));
    assert_eq!(schema["properties"]["severity"]["enum"], json!(["low", "medium", "high", null]));
    let swedish = Call::to("GET /v1/types/{type}/schema").query("language=sv");
    assert_eq!(world.send(swedish).await.body()["title"], "Avvikelse");
    let bad = Call::to("GET /v1/types/{type}/schema").query("language=fr");
    assert_eq!(world.send(bad).await.problem(), (422, "invalid_field".into(), "?language".into()));
}
