//! The evening's run: what is kept is added up, once, and written down for good.

use std::time::Duration;

use am_service::backups::open_run;
use domain::Timestamp;
use runtime::{Env, OperatorEnv};
use serde_json::{Value, json};

use testing::operator;
use testing::world::{Call, World, event};

/// How long before a run its cut lies.
const CUT_BEFORE: Duration = Duration::from_secs(5 * 60);

fn context(world: &World) -> open_run::Context {
    let environment = world.cloud.operator_environment();
    let lookup = |name: &str| environment.get(name).cloned();
    open_run::Context::build(&OperatorEnv::new(Env::new(&lookup))).unwrap()
}

/// Opens a run as if it were that late already.
async fn open(world: &World, scheduled_at: Timestamp) -> Value {
    let event = serde_json::from_value(json!({ "scheduled_at": scheduled_at })).unwrap();
    let opened = open_run::handle(&context(world), &event, scheduled_at, Duration::ZERO).await;
    serde_json::to_value(opened.unwrap()).unwrap()
}

/// The first evening at which all of the stage lies before the cut.
fn evening(world: &World) -> Timestamp {
    world.now.after(CUT_BEFORE).after(Duration::from_millis(1))
}

#[tokio::test]
async fn a_run_adds_up_what_was_committed_before_its_cut() {
    let world = World::with_record().await;
    let too_early = open(&world, world.now.after(CUT_BEFORE)).await;
    assert_eq!((&too_early["revisions"], &too_early["opened"]), (&json!(0), &json!(true)));
    assert_eq!(too_early["cut"], world.now.to_string());
    // Two customers with four types each and seven people, two invitations of which one was accepted; a record, an
    // appendix and its version.
    let opened = open(&world, evening(&world)).await;
    assert_eq!(opened["revisions"], 2 + 8 + 7 + 3 + 3);
    assert_eq!(opened["damaged"], 0);
    assert_ne!(opened["digest"], too_early["digest"]);
}

#[tokio::test]
async fn what_comes_later_changes_nothing_and_what_comes_earlier_does() {
    let world = World::with_record().await;
    let first = open(&world, evening(&world)).await;
    let later = world.now.after(Duration::from_secs(1));
    assert_eq!(
        world.send(Call::to("PUT /v1/records/{record_id}").later(later)).await.status(),
        200
    );
    let digest = async |scheduled_at| open(&world, scheduled_at).await["digest"].clone();
    let of_nothing = "lthash:be2a8de3dcf46c94ce85cdc8e07ac308f4d8a95490d956c38d780fd610db0813";
    assert_eq!(digest(evening(&world).before(Duration::from_millis(1))).await, of_nothing);
    assert_eq!(digest(evening(&world)).await, first["digest"]);
    assert_ne!(digest(evening(&world).after(Duration::from_secs(1))).await, first["digest"]);
}

#[tokio::test]
async fn a_run_that_is_opened_again_leaves_the_evidence_as_it_was() {
    let world = World::with_record().await;
    let first = open(&world, evening(&world)).await;
    let kept = manifest(&world, &first).await;
    let again = open(&world, evening(&world)).await;
    assert_eq!((&first["opened"], &again["opened"]), (&json!(true), &json!(false)));
    assert_eq!(kept, manifest(&world, &again).await);

    let manifest: Value = serde_json::from_slice(&kept.1).unwrap();
    assert_eq!(manifest["cut"], first["cut"]);
    let records = &manifest["tables"]["records"];
    assert_eq!(
        (&records["count"], &manifest["tables"]["accounts"]["count"]),
        (&json!(3), &json!(20))
    );
    let buckets = records["buckets"].as_object().unwrap();
    assert_eq!(buckets.values().map(|it| it["count"].as_u64().unwrap()).sum::<u64>(), 3);
    let customers = records["customers"].as_object().unwrap();
    assert!(customers.len() == 1 && customers.values().all(|count| *count == 3));
}

#[tokio::test]
async fn a_run_that_was_cut_off_is_noted_with_the_manifest_that_is_kept() {
    let world = World::with_record().await;
    let (context, at) = (context(&world), evening(&world));
    let earlier = backup::manifest(&world.operator, at.before(CUT_BEFORE)).await.unwrap();
    let evidence = &context.evidence;
    evidence.keep(&format!("manifests/{at}.json"), earlier.to_json()).await.unwrap();
    alter(&world, "content", Some("{}")).await;
    let opened = open(&world, at).await;
    assert_eq!(opened["opened"], true);
    assert_eq!(opened["digest"], earlier.summary.digest, "not of what was altered since");
}

#[tokio::test]
async fn whatever_is_altered_in_a_revision_shows_in_the_digest_and_is_named() {
    for (attribute, value) in [
        ("content", Some("{}")),
        ("content", None),
        ("digest", Some("none")),
        // As if it were of a time that no run has come to yet.
        ("changed_at_ms", Some("32503680000000")),
        ("version", None),
    ] {
        let world = World::with_record().await;
        let before = open(&world, evening(&world)).await;
        let key = alter(&world, attribute, value).await;
        let after = open(&world, evening(&world).after(Duration::from_secs(1))).await;
        let what = format!("{attribute} = {value:?}");
        assert_eq!((&before["damaged"], &after["damaged"]), (&json!(0), &json!(1)), "{what}");
        assert_eq!(after["revisions"], before["revisions"], "{what}");
        assert_ne!(after["digest"], before["digest"], "{what}");
        let manifest: Value = serde_json::from_slice(&manifest(&world, &after).await.1).unwrap();
        assert_eq!(manifest["tables"]["records"]["damaged_keys"], json!([key]), "{what}");
    }
}

/// Gives one revision of A's another value, or takes it away; its key.
async fn alter(world: &World, attribute: &str, value: Option<&str>) -> String {
    operator::alter_a_revision(&world.cloud, "01KEZ00000CSTMRAAAAAAAAAAA", attribute, value).await
}

#[tokio::test]
async fn a_time_that_lies_ahead_or_is_none_is_refused() {
    let world = World::new().await;
    let refused =
        async |event| world.cloud.invoke("open-backup-run", event).await.unwrap_err().to_string();
    let ahead = refused(event("backups/open_run/ahead")).await;
    assert!(
        ahead.contains("scheduled_at is 2999-01-15T17:00:00.000Z, which lies ahead"),
        "{ahead}"
    );
    assert!(refused(json!({})).await.contains("missing field `scheduled_at`"));
    assert!(refused(json!({"scheduled_at": "at six"})).await.contains("does not fit"));
}

/// The version and the bytes of the manifest that a run has kept.
async fn manifest(world: &World, opened: &Value) -> (String, Vec<u8>) {
    operator::manifest(&world.cloud, opened["manifest"].as_str().unwrap()).await
}
