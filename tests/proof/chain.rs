//! What vanishes from the service before 18:00, is altered or slipped in, is found at 18:00, though the
//! night's copy agrees with the service: each evening is held against the one before.

use std::time::Duration;

use am_service::backups::open_run;
use backup::Cause::{self, Discontinued, Evidence, Gap, Unerased, Unledgered};
use domain::Timestamp;
use runtime::{Env, OperatorEnv};
use serde_json::{Value, json};

use crate::faults::{A, B};
use crate::losses::{ACCOUNTS, LEDGER, Loss, RECORDS, happen, revision};
use crate::verification::{UNCHANGED, stage};
use testing::operator;
use testing::world::{RECORD, World};

/// Adds an evening up while nobody writes; what it says of the chain.
async fn evening(world: &World) -> Value {
    // Each evening has a millisecond of its own.
    tokio::time::sleep(Duration::from_millis(3)).await;
    let event = json!({ "scheduled_at": runtime::now(), "quiet": true });
    world.cloud.invoke("open-backup-run", event).await.unwrap()["chain"].clone()
}

/// The state of a row of the policy, and what it shows.
pub async fn row(world: &World, number: u64) -> Value {
    let policy = world.ask("GET /v1/policy").await.body();
    let mut rows = policy["rows"].as_array().unwrap().iter();
    rows.find(|row| row["row"] == number).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_before_the_evening_is_found_in_the_evening() {
    let erased = format!("ERASED#{B}");
    let erased: &'static str = erased.leak();
    let rows: &[(Loss, &[Cause], &str)] = &[
        (Loss::Table(RECORDS), &[Discontinued, Unerased], "records of 01KEZ00000CSTMRAAAAAAAAAAA"),
        (Loss::Table(ACCOUNTS), &[Discontinued], "accounts of 01KEZ00000CSTMRBBBBBBBBBBB"),
        (
            Loss::Table(LEDGER),
            &[Evidence, Unledgered],
            "01KEZ00000CSTMRBBBBBBBBBBB/RECORD#01KEZ00000RECRDAAAAAAAAAAA",
        ),
        (Loss::Customer(A), &[Discontinued], "records of 01KEZ00000CSTMRAAAAAAAAAAA"),
        (Loss::Customer(B), &[Discontinued, Unerased], "records of 01KEZ00000CSTMRBBBBBBBBBBB"),
        (
            Loss::Record(1),
            &[Discontinued, Gap],
            "01KEZ00000CSTMRAAAAAAAAAAA/REVISION#RECORD#01KEZ00000RECRDAAAAAAAAAAA#0000000001",
        ),
        (Loss::Record(2), &[Discontinued], "records of 01KEZ00000CSTMRAAAAAAAAAAA"),
        (Loss::Content, &[Discontinued], ""),
        (Loss::SwappedContents, &[Discontinued], ""),
        (Loss::Author, &[Discontinued], ""),
        (Loss::Role, &[Discontinued], ""),
        (Loss::Form, &[Discontinued], ""),
        (
            Loss::Item(ACCOUNTS, A, "REVISION#TYPE#machine#0000000001"),
            &[Discontinued],
            "accounts of 01KEZ00000CSTMRAAAAAAAAAAA",
        ),
        (Loss::Backdated, &[Discontinued], "records of 01KEZ00000CSTMRAAAAAAAAAAA"),
        (
            Loss::Restored,
            &[Discontinued, Unerased],
            "01KEZ00000CSTMRBBBBBBBBBBB/RECORD#01KEZ00000RECRDAAAAAAAAAAA",
        ),
        (
            Loss::Item(LEDGER, erased, "RECORD#X"),
            &[Discontinued, Unledgered],
            "01KEZ00000CSTMRBBBBBBBBBBB/RECORD#01KEZ00000RECRDAAAAAAAAAAA",
        ),
        (Loss::Manifest, &[Evidence], ""),
        (Loss::AlteredManifest, &[Evidence], ""),
        (Loss::StrayManifest, &[Evidence], "manifests/2026-01-15.json"),
        (Loss::Run, &[Evidence], ""),
    ];
    for (loss, causes, key) in rows {
        let world = stage().await;
        let whole = evening(&world).await;
        assert_eq!(
            (&whole["holds"], &whole["findings"]["counts"]),
            (&json!(true), &json!({})),
            "{loss:?}"
        );
        happen(&world, *loss).await;
        for time in ["at once", "and still"] {
            let chain = evening(&world).await;
            assert_eq!(chain["holds"], false, "{loss:?}, {time}");
            let found = chain["findings"]["counts"].as_object().unwrap();
            let found: Vec<Cause> =
                found.keys().map(|cause| serde_json::from_value(json!(cause)).unwrap()).collect();
            let (mut expected, mut found) = (causes.to_vec(), found);
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "{loss:?}, {time}: {chain:#}");
            let listed = chain["findings"]["listed"].as_array().unwrap();
            let named = listed.iter().any(|it| it["key"] == *key);
            assert!(named || key.is_empty(), "{loss:?}, {time}: {listed:?}");
            // Without its row of the ledger, nothing says since when.
            let known = !matches!(loss, Loss::Table(LEDGER) | Loss::Run);
            assert_eq!(chain["since"].is_string(), known, "{loss:?}, {time}");
            assert!(!known || chain["since"] == whole["since"], "{loss:?}, {time}");
            for number in [1, 5] {
                assert_eq!(row(&world, number).await["state"], "broken", "{loss:?}: row {number}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stays_broken_until_somebody_acknowledges_it_and_goes_on_from_there() {
    let world = stage().await;
    let whole = evening(&world).await;
    let acknowledge = async |run: &Value, note: &str| {
        world.cloud.invoke("acknowledge-chain", json!({ "run": run, "note": note })).await
    };
    let refused = acknowledge(&whole["run"], "nothing").await.unwrap_err().to_string();
    assert!(refused.contains("has found nothing gone"), "{refused}");
    let unchanged = revision(UNCHANGED, 1);
    operator::delete_item(&world.cloud, RECORDS, B, &unchanged).await;
    let broken = evening(&world).await;
    assert_eq!((&broken["holds"], &broken["since"]), (&json!(false), &whole["since"]));
    for (note, error) in [("", "note must have 1 to 1000"), (" \n", "note must have 1 to 1000")] {
        let refused = acknowledge(&broken["run"], note).await.unwrap_err().to_string();
        assert!(refused.contains(error), "{refused}");
    }
    let done = acknowledge(&broken["run"], "A test record was removed by hand").await.unwrap();
    assert_eq!(done["acknowledged"], true);
    assert!(done["old"] != done["new"] && done["new"].as_str().unwrap().starts_with("lthash:"));
    let again = acknowledge(&broken["run"], "Again").await.unwrap();
    assert_eq!(again["acknowledged"], false);
    let goes_on = evening(&world).await;
    assert_eq!(goes_on["holds"], true, "{goes_on:#}");
    assert!(goes_on["since"].as_str() > whole["since"].as_str());
    assert_eq!(goes_on["broken_at"], Value::Null);
    // From there on, nothing is forgiven.
    operator::delete_item(&world.cloud, RECORDS, A, &revision(RECORD, 1)).await;
    assert_eq!(evening(&world).await["holds"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_by_its_key_is_acknowledged_too_and_nothing_beside_it() {
    let erased: &'static str = format!("ERASED#{B}").leak();
    for loss in
        [Loss::Record(1), Loss::Item(LEDGER, erased, "RECORD#X"), Loss::Manifest, Loss::Restored]
    {
        let world = stage().await;
        evening(&world).await;
        evening(&world).await;
        happen(&world, loss).await;
        let broken = evening(&world).await;
        assert_eq!(broken["holds"], false, "{loss:?}");
        let note = json!({ "run": broken["run"], "note": "a drill" });
        world.cloud.invoke("acknowledge-chain", note).await.unwrap();
        for time in 1..=2 {
            let goes_on = evening(&world).await;
            assert_eq!(goes_on["holds"], true, "{loss:?}, {time}: {goes_on:#}");
        }
        happen(&world, Loss::StrayManifest).await;
        assert_eq!(
            evening(&world).await["findings"]["counts"],
            json!({ "evidence": 1 }),
            "{loss:?}"
        );
    }
}

/// Adds an evening up at a time of its own.
async fn evening_at(world: &World, now: Timestamp) -> Value {
    let environment = world.cloud.operator_environment().clone();
    let lookup = |name: &str| environment.get(name).cloned();
    let context = open_run::Context::build(&OperatorEnv::new(Env::new(&lookup))).unwrap();
    let event = json!({ "scheduled_at": now, "quiet": true });
    let event = serde_json::from_value(event).unwrap();
    let outcome = open_run::handle(&context, &event, now, Duration::ZERO).await.unwrap();
    serde_json::to_value(outcome).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_loss_in_the_same_place_is_not_acknowledged_with_the_first() {
    let world = stage().await;
    evening(&world).await;
    happen(&world, Loss::Content).await;
    let broken = evening(&world).await;
    let note = json!({ "run": broken["run"], "note": "a drill" });
    world.cloud.invoke("acknowledge-chain", note).await.unwrap();
    assert_eq!(evening(&world).await["holds"], true);
    happen(&world, Loss::SwappedContents).await;
    let again = evening(&world).await;
    assert_eq!(again["holds"], false);
    assert_eq!(again["findings"]["listed"][0]["key"], broken["findings"]["listed"][0]["key"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumped_ahead_rings_and_hides_nothing() {
    let world = stage().await;
    let now = runtime::now();
    let day = |n: u64| now.after(Duration::from_secs(n * 24 * 60 * 60));
    assert_eq!(evening_at(&world, now).await["clock"], Value::Null);
    // Forty days ahead, and back again.
    assert_eq!(evening_at(&world, day(40)).await["clock"], Value::Null);
    let back = evening_at(&world, day(1)).await;
    let both = json!({ "machine": day(1), "service": day(40) });
    assert_eq!((&back["clock"], &back["chain"]["holds"]), (&both, &json!(true)));
    // By less, clocks differ.
    let before = day(40).before(Duration::from_secs(60));
    assert_eq!(evening_at(&world, before).await["clock"], Value::Null);
    operator::delete_item(&world.cloud, RECORDS, A, &revision(RECORD, 1)).await;
    assert_eq!(evening_at(&world, day(2)).await["chain"]["holds"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_learn_that_it_holds_and_since_when_and_no_more() {
    let world = stage().await;
    assert_eq!(row(&world, 1).await["state"], "unknown", "nobody has looked yet");
    let whole = evening(&world).await;
    world.cloud.invoke("audit-backups", json!({})).await.unwrap();
    let shown = row(&world, 1).await;
    assert_eq!(shown["state"], "kept");
    let held = json!({ "holds": true, "since": whole["since"] });
    assert_eq!(shown["evidence"]["chain of evenings"], held);
    operator::delete_item(&world.cloud, RECORDS, A, &revision(RECORD, 1)).await;
    evening(&world).await;
    let audit = world.cloud.invoke("audit-backups", json!({})).await.unwrap();
    let rung = audit["broken"].as_array().unwrap().iter();
    assert!(rung.filter(|it| it.as_str().unwrap().starts_with("chain of evenings")).count() == 1);
    for number in [1, 5] {
        let shown = row(&world, number).await;
        assert_eq!(shown["state"], "broken");
        let text = shown.to_string();
        assert!(!text.contains("01KEZ") && !text.contains("had "), "{text}");
    }
}

/// What the state machine of infra/verify.yaml does with an evening: its parts, then all.
#[tokio::test(flavor = "multi_thread")]
async fn many_functions_add_up_what_one_does_and_miss_what_it_misses() {
    const OF: u32 = 5;
    let world = stage().await;
    let by_many = async || {
        tokio::time::sleep(Duration::from_millis(3)).await;
        let event = json!({ "scheduled_at": runtime::now(), "quiet": true });
        for index in 0..OF {
            let mut part = event.clone();
            part["segment"] = json!({ "index": index, "of": OF });
            let kept = world.cloud.invoke("open-backup-run", part).await.unwrap();
            assert_eq!(kept["segment"]["index"], index);
        }
        let mut all = event.clone();
        all["segments"] = json!(OF);
        world.cloud.invoke("open-backup-run", all).await.unwrap()
    };
    let one = evening(&world).await;
    let many = by_many().await;
    assert_eq!((&many["chain"]["holds"], &many["chain"]["since"]), (&json!(true), &one["since"]));
    let manifests = operator::evidence_keys(&world.cloud, "manifests/").await;
    let mut records = Vec::new();
    for key in &manifests {
        let (_, bytes) = operator::manifest(&world.cloud, key).await;
        let manifest: Value = serde_json::from_slice(&bytes).unwrap();
        records.push(
            ["records", "accounts", "logins", "appendices"]
                .map(|table| manifest["tables"][table].clone()),
        );
    }
    assert_eq!(records[0], records[1]);
    happen(&world, Loss::Record(1)).await;
    let many = by_many().await["chain"].clone();
    let one = evening(&world).await;
    assert_eq!((&many["holds"], &many["findings"]), (&json!(false), &one["findings"]));
}

/// The SDK asks three times, and gives up; the reading asks on, at the same page.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_gives_no_more_for_a_while_is_added_up_all_the_same() {
    let world = stage().await;
    let whole = backup::manifest(&world.operator, runtime::now()).await.unwrap();
    world.cloud.throttle_scans(30);
    let paced = backup::manifest(&world.operator, runtime::now()).await.unwrap();
    assert_eq!(paced.summary, whole.summary);
}

/// Between its manifest and its row, a run may be cut off for good: nothing is gone, and the chain goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_cut_off_before_its_row_breaks_nothing() {
    let world = stage().await;
    let whole = evening(&world).await;
    let manifests = operator::evidence_keys(&world.cloud, "manifests/").await;
    tokio::time::sleep(Duration::from_millis(3)).await;
    // What it has kept, by its own manifest, and no row.
    let (_, bytes) = operator::manifest(&world.cloud, &manifests[0]).await;
    let mut manifest: Value = serde_json::from_slice(&bytes).unwrap();
    let document = domain::Digest::of(&[&bytes]).to_string();
    manifest["previous"] = json!({ "key": manifests[0], "document": document });
    let key = format!("manifests/{}.json", runtime::now());
    let bytes = serde_json::to_vec(&manifest).unwrap();
    operator::put_evidence(&world.cloud, &key, bytes).await;
    for time in ["at once", "and still"] {
        let goes_on = evening(&world).await;
        assert_eq!(goes_on["holds"], true, "{time}: {goes_on:#}");
        assert_eq!(goes_on["since"], whole["since"], "{time}");
    }
    // It is a run like any other: without its manifest, something is gone.
    operator::hide_evidence(&world.cloud, &key).await;
    assert_eq!(evening(&world).await["findings"]["counts"], json!({ "evidence": 1 }));
}
