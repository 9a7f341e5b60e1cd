//! What vanishes from the service between the evening's backup and its restore test, is altered or slipped
//! in: the copies are true, and what is in use is not. It is named as that.

use backup::Cause::{self, Dangling, Diverged, Evidence};
use serde_json::json;

use crate::chain::row;
use crate::faults::A;
use crate::losses::{ACCOUNTS, LEDGER, Loss, MACHINE, RECORDS, STRAY, VIEWER, happen};
use crate::verification::{report, stage};
use testing::world::{APPENDIX, RECORD};

/// What happens, whose report tells of it, with what, how often, and one of the keys; and the copies that are
/// refuted.
type Row = (Loss, &'static str, Cause, u64, String, &'static [&'static str]);

fn rows() -> Vec<Row> {
    let thing = format!("{A}/RECORD#{RECORD}");
    let rev = |n: u32| format!("{A}/REVISION#RECORD#{RECORD}#{n:010}");
    let any = String::new;
    let stray = format!("{A}/REVISION#{STRAY}#0000000001");
    vec![
        (Loss::Table(RECORDS), "records", Diverged, 11, rev(1), &[]),
        (Loss::Table(ACCOUNTS), "accounts", Diverged, 20, any(), &[]),
        (Loss::Customer(A), "records", Diverged, 6, rev(2), &[]),
        (Loss::Record(1), "records", Diverged, 1, rev(1), &[]),
        (Loss::Record(2), "records", Diverged, 2, rev(2), &[]),
        (Loss::Thing, "records", Diverged, 1, thing.clone(), &[]),
        (Loss::Everything, "records", Diverged, 2, rev(1), &[]),
        (Loss::Content, "records", Diverged, 1, rev(2), &[]),
        (Loss::SwappedContents, "records", Diverged, 2, rev(1), &[]),
        (Loss::SetBack, "records", Diverged, 1, thing, &[]),
        (Loss::Redated, "records", Diverged, 1, rev(2), &[]),
        (Loss::Damaged, "records", Diverged, 1, any(), &[]),
        (Loss::Backdated, "records", Diverged, 1, stray, &[]),
        (Loss::AnotherRevision, "records", Diverged, 1, rev(3), &[]),
        (Loss::Moved, "records", Diverged, 3, rev(1), &[]),
        (Loss::Author, "records", Diverged, 1, rev(1), &[]),
        (Loss::Restored, "records", Diverged, 1, any(), &[]),
        (
            Loss::Item(ACCOUNTS, A, "REVISION#USER#01KEZ00000PERSNVVVVVVVVVVV#0000000001"),
            "accounts",
            Diverged,
            2,
            format!("{A}/REVISION#{VIEWER}#0000000001"),
            &[],
        ),
        (Loss::Item(ACCOUNTS, A, VIEWER), "accounts", Diverged, 1, format!("{A}/{VIEWER}"), &[]),
        (Loss::Role, "accounts", Diverged, 1, format!("{A}/REVISION#{VIEWER}#0000000001"), &[]),
        (Loss::Form, "accounts", Diverged, 1, format!("{A}/REVISION#{MACHINE}#0000000001"), &[]),
        (Loss::Item(ACCOUNTS, A, MACHINE), "accounts", Diverged, 1, format!("{A}/{MACHINE}"), &[]),
        (
            Loss::Item(LEDGER, "ERASED#01KEZ00000CSTMRBBBBBBBBBBB", "RECORD#X"),
            "ledger",
            Diverged,
            1,
            format!("ERASED#01KEZ00000CSTMRBBBBBBBBBBB/RECORD#{RECORD}"),
            &[],
        ),
        (Loss::Object, "appendices", Dangling, 1, format!("{A}/{RECORD}/{APPENDIX}/1"), &[]),
        (Loss::AlteredObject, "appendices", Dangling, 1, format!("{A}/{RECORD}/{APPENDIX}/1"), &[]),
        (Loss::AlteredManifest, "evidence", Evidence, 1, any(), &[]),
        (Loss::Manifest, "evidence", Evidence, 1, any(), &[]),
        (Loss::Report, "evidence", Evidence, 1, any(), &[]),
        (Loss::AlteredReport, "evidence", Evidence, 1, any(), &[]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_between_backup_and_restore_test_is_found_in_use_and_refutes_no_copy() {
    let mut unlike = Vec::new();
    for (loss, resource, cause, count, key, refuted) in rows() {
        let world = stage().await;
        world.cloud.run_evening(|_| {}).await.unwrap();
        let evening = world.cloud.back_up(&mut |_| {}).await.unwrap();
        assert!(evening.chain_holds && evening.failed.is_empty(), "{loss:?}: {evening:?}");
        happen(&world, loss).await;
        let evening = world.cloud.test_restores(evening, &mut |_| {}).await.unwrap();
        let wrong = evening.verdicts.iter().filter(|(_, verdict)| verdict != "SUCCESSFUL");
        let wrong: Vec<&str> = wrong.map(|(resource, _)| resource.as_str()).collect();
        let found = report(&world.cloud, resource).await.unwrap().in_use;
        let named = key.is_empty() || found.listed.iter().any(|it| it.key == key);
        // And so it stays, though the next evening does not look at all of it.
        let mut broken = true;
        for time in ["at once", "and still"] {
            for number in [1, 5] {
                broken &= row(&world, number).await["state"] == "broken";
            }
            if time == "at once" {
                tokio::time::sleep(std::time::Duration::from_millis(3)).await;
                let event = json!({ "scheduled_at": runtime::now(), "quiet": true });
                world.cloud.invoke("open-backup-run", event).await.unwrap();
            }
        }
        let as_expected = wrong == refuted && found.counts == [(cause, count)].into();
        if !as_expected || !named || !broken || !evening.failed.is_empty() {
            unlike.push(format!("{loss:?}: {wrong:?}, {broken}, {:#?}", found.listed));
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
}

/// Nobody who verifies may read logins in use: of those that are lost, the next copy tells, held against what
/// the accounts say.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_lost_in_use_is_found_in_the_next_copy() {
    for (loss, cause) in [
        (Loss::Login, Cause::Missing),
        (Loss::Password, Cause::Missing),
        (Loss::ForeignLogin, Cause::Extra),
    ] {
        let world = stage().await;
        world.cloud.run_evening(|_| {}).await.unwrap();
        happen(&world, loss).await;
        world.cloud.run_evening(|_| {}).await.unwrap();
        let found = report(&world.cloud, "logins").await.unwrap().findings;
        assert_eq!(found.counts, [(cause, 1)].into(), "{loss:?}: {:?}", found.listed);
    }
}

/// A record that was made after the cut, and is in the copy: whether the service has lost it or somebody has
/// put it into the copy, nobody can say. Both ring.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_young_and_gone_in_use_rings_for_both() {
    let world = stage().await;
    let event = json!({ "scheduled_at": runtime::now(), "quiet": true });
    world.cloud.invoke("open-backup-run", event).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    let change = testing::world::Call::to("PUT /v1/records/{record_id}").later(runtime::now());
    assert_eq!(world.send(change.header("if-match", "\"2\"")).await.status(), 200);
    let evening = world.cloud.back_up_opened(&mut |_| {}).await.unwrap();
    happen(&world, Loss::Record(3)).await;
    let evening = world.cloud.test_restores(evening, &mut |_| {}).await.unwrap();
    let wrong = evening.verdicts.iter().filter(|(_, verdict)| verdict != "SUCCESSFUL").count();
    assert_eq!(wrong, 1, "{evening:?}");
    let found = report(&world.cloud, "records").await.unwrap();
    let key = format!("{A}/REVISION#RECORD#{RECORD}#0000000003");
    for findings in [&found.findings, &found.in_use] {
        assert!(findings.listed.iter().any(|it| it.key == key), "{findings:?}");
    }
}
