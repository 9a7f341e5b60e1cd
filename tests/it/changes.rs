//! Changes of records: by patches, back to what they were, and too late.

use serde_json::{Value, json};

use testing::world::{Call, RECORD, World};

#[tokio::test]
async fn somebody_who_was_late_gets_what_there_is_to_merge_with() {
    let world = World::with_record().await;
    let change = Call::to("PUT /v1/records/{record_id}");
    assert_eq!(world.send(change.clone().with("title", json!("theirs"))).await.status(), 200);
    let now = world.ask("GET /v1/records/{record_id}").await.body();
    let late = [
        change.with("title", json!("mine")),
        Call::to("PATCH /v1/records/{record_id}"),
        Call::to("POST /v1/records/{record_id}/restorations"),
        Call::to("DELETE /v1/records/{record_id}"),
    ];
    for call in late {
        let answer = world.send(call).await;
        assert_eq!(answer.problem(), (412, "stale_version".into(), String::new()));
        assert_eq!(answer.body()["current"], now);
    }
}

#[tokio::test]
async fn a_record_becomes_again_what_it_was_and_a_deleted_one_does_not() {
    let world = World::with_record().await;
    let first = world.ask("GET /v1/records/{record_id}").await.body();
    world.ask("PUT /v1/records/{record_id}").await;
    let restore = Call::to("POST /v1/records/{record_id}/restorations").header("if-match", "\"2\"");
    let restored = world.send(restore.clone()).await;
    assert_eq!((restored.status(), restored.header("etag")), (200, "\"3\""));
    for member in ["title", "fields", "type"] {
        assert_eq!(restored.body()[member], first[member]);
    }
    let restore = restore.header("if-match", "\"3\"");
    for version in [json!(9), json!(0), json!("1"), Value::Null] {
        let refused = world.send(restore.clone().with("version", version)).await;
        assert_eq!(refused.problem(), (422, "invalid_field".into(), "/version".into()));
    }
    let delete = Call::to("DELETE /v1/records/{record_id}").header("if-match", "\"3\"");
    assert_eq!(world.send(delete).await.status(), 204);
    let gone = restore.header("if-match", "\"4\"");
    assert_eq!(world.send(gone).await.problem().0, 404, "{RECORD}");
}

#[tokio::test]
async fn a_patch_is_rfc_7396_and_bad_ones_change_nothing() {
    let world = World::with_record().await;
    let patch = || Call::to("PATCH /v1/records/{record_id}");
    for (body, status, field) in [
        (r#"{"title":null}"#, 422, "/title"),
        (r#"{"title":7}"#, 422, "/title"),
        (r#"{"colour":"red"}"#, 422, "/colour"),
        (r#"{"fields":7}"#, 422, "/fields"),
        (r#"{"fields":{"a":1,"a":2}}"#, 422, "/fields"),
        (r#"{"version":9}"#, 422, "/version"),
        ("[]", 422, ""),
        ("{", 400, ""),
    ] {
        let answer = world.send(patch().raw_body(body)).await;
        let (found, _, at) = answer.problem();
        assert_eq!((found, at.as_str()), (status, field), "{body}");
    }
    let merge = patch().header("content-type", "application/merge-patch+json");
    let changed = world.send(merge.raw_body(r#"{"fields":{"line":null,"a":{"b":[1]}}}"#)).await;
    assert_eq!(changed.body()["fields"], json!({ "a": { "b": [1] } }));
    assert_eq!(changed.body()["title"], "Spricka");
    let none = patch().header("if-match", "\"2\"").raw_body(r#"{"fields":null}"#);
    assert_eq!(world.send(none).await.body()["fields"], json!({}));
}
