//! Every fault that a backup can have is found, and named with its cause; and none is found where
//! there is none. Copies are made by the local AWS Backup and restored by it; the functions get its
//! events.

use std::time::Duration;

use am_service::backups::verify_restore;
use backup::{Cause, Report, Verifier};
use local::{Cloud, Fault, Progress};
use runtime::{Env, OperatorEnv};
use serde_json::{Value, json};

use crate::faults::{self, ACCOUNTS, Copy, RECORDS, Row};
use store::TableKind;
use testing::operator;
use testing::world::{Call, Person, World, event};

/// B's other record, which nobody has changed.
pub const UNCHANGED: &str = "01KEZ00000RECRDBBBBBBBBBBB";

/// A world in which a record of A was changed and has a photo, and B has erased one and has another.
pub async fn stage() -> World {
    let world = World::with_record().await;
    world.upload_photo().await;
    assert_eq!(world.ask("PUT /v1/records/{record_id}").await.status(), 200);
    assert_eq!(world.ask("POST /v1/records/{record_id}/comments").await.status(), 201);
    world.give_record(Person::B).await;
    let other = Call::to("POST /v1/records chosen_id").by(Person::B).with("id", json!(UNCHANGED));
    assert_eq!(world.send(other).await.status(), 201);
    let erased = Call::to("DELETE /v1/records/{record_id}").by(Person::B);
    assert_eq!(world.send(erased).await.status(), 204);
    // All of it is older than the cut of the evening that follows.
    tokio::time::sleep(Duration::from_millis(2)).await;
    world
}

/// The resources that were refuted, and the report on one.
async fn evening(cloud: &Cloud, resource: &str) -> (Vec<String>, Option<Report>) {
    let evening = cloud.run_evening(|_: Progress| {}).await.unwrap();
    let refuted = evening.verdicts.iter().filter(|(_, verdict)| verdict != "SUCCESSFUL");
    let mut refuted: Vec<String> = refuted.map(|(resource, _)| resource.clone()).collect();
    refuted.extend(evening.failed.iter().map(|(resource, _)| resource.clone()));
    (refuted, report(cloud, resource).await)
}

/// The newest report on a resource.
pub async fn report(cloud: &Cloud, resource: &str) -> Option<Report> {
    let reports = operator::evidence_keys(cloud, "verifications/").await;
    let of = |key: &&String| key.split('/').nth(2).is_some_and(|name| name.starts_with(resource));
    let (_, report) = operator::manifest(cloud, reports.iter().rfind(of)?).await;
    Some(serde_json::from_slice(&report).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_copy_is_found_and_named() {
    let rows = faults::all();
    assert!(rows.len() >= 20, "{}", rows.len());
    let world = stage().await;
    // Of the same size as the photo, so that only the hash can tell.
    std::fs::write(world.folder().join("recovery-points/other"), b"a photo of a crock").unwrap();
    let (refuted, _) = evening(&world.cloud, "records").await;
    assert_eq!(refuted, Vec::<String>::new(), "nothing is wrong yet");
    for Row { what, copy: Copy(copy, resource), sql, causes, key } in rows {
        world.cloud.faults().inject(copy, Fault::Copied(sql));
        let (refuted, report) = evening(&world.cloud, resource).await;
        let Some(Report { findings, .. }) = report else { panic!("{what}: no report") };
        assert_eq!(findings.counts, causes.into_iter().collect(), "{what}: {:?}", findings.listed);
        let named = findings.listed.iter().any(|it| it.key == key);
        assert!(named || key.is_empty(), "{what}: {:?}", findings.listed);
        assert_eq!(refuted.len(), 1, "{what}: {refuted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_in_use_is_named_and_refutes_no_backup() {
    let unchanged = format!("REVISION#RECORD#{UNCHANGED}");
    for (table, at, resource, count) in [
        // A thing as it is now; the newest revision of one, and with it the thing; that of a user,
        // and with it the login.
        ("RECORDS_TABLE", (faults::A, "RECORD#"), "records", 1),
        ("RECORDS_TABLE", (faults::B, unchanged.as_str()), "records", 2),
        ("ACCOUNTS_TABLE", (faults::A, "REVISION#USER#"), "logins", 1),
    ] {
        let world = stage().await;
        operator::alter(&world.cloud, table, at, "changed_at_ms", Some("1")).await;
        let (refuted, report) = evening(&world.cloud, resource).await;
        assert_eq!(refuted, Vec::<String>::new(), "{at:?}: {report:?}");
        let found = report.unwrap().findings;
        assert_eq!(found.counts, [(Cause::DamagedInUse, count)].into(), "{:?}", found.listed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_failed_takes_no_space() {
    let world = stage().await;
    world.cloud.faults().inject(RECORDS.0, Fault::Copied("no SQL".to_owned()));
    let (refuted, _) = evening(&world.cloud, "records").await;
    assert_eq!(refuted, ["RecordsTable"]);
    // One more is started in its place.
    for _ in 0..200 {
        world.cloud.settle().await;
        if jobs(&world.cloud).await.len() == 8 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let of_state = async |state: &str| {
        jobs(&world.cloud).await.iter().filter(|job| job["state"] == state).count()
    };
    assert_eq!((of_state("FAILED").await, of_state("COMPLETED").await), (1, 7));
    let files = std::fs::read_dir(world.folder().join("recovery-points")).unwrap();
    let copies = files.filter(|it| it.as_ref().unwrap().path().extension().unwrap() == "sqlite");
    // Six were copied into the other vault at once; what was started again is not.
    assert_eq!(copies.count(), 7 + 6);
}

/// The rows of the ledger that tell of jobs.
async fn jobs(cloud: &Cloud) -> Vec<Value> {
    operator::documents(cloud, "BACKUPS", "JOB#").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_no_backup_is_noted_and_started_once_more() {
    for (fault, expected) in [
        (Fault::Ends("FAILED"), "FAILED: \"Backup job failed because it was told to.\""),
        (Fault::Ends("ABORTED"), "ABORTED: \"Backup job failed because it was told to.\""),
        (Fault::Ends("EXPIRED"), "EXPIRED: \"Backup job failed because it was told to.\""),
        (Fault::Issues("Completed with issues"), "completed with issues: Completed with issues"),
    ] {
        let world = stage().await;
        world.cloud.faults().inject(RECORDS.0, fault.clone());
        world.cloud.run_evening(|_| {}).await.unwrap();
        world.cloud.settle().await;
        let mut of_records = Vec::new();
        // The second job is started by the event of the first, and takes its time.
        for _ in 0..200 {
            of_records = jobs(&world.cloud).await;
            of_records.retain(|it| it["resource"].as_str().unwrap().ends_with("RecordsTable"));
            if of_records.len() == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let faults: Vec<&str> = of_records.iter().filter_map(|it| it["fault"].as_str()).collect();
        assert_eq!(of_records.len(), 2, "{fault:?}: {of_records:?}");
        assert_eq!(faults, [expected], "{fault:?}");
    }
}

/// A size of nothing is a fault where there was something half a day ago. What is younger, DynamoDB's own size may
/// not know yet: so it is on the first evening of all.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_nothing_is_a_fault_once_the_size_has_to_be_known() {
    let hours = |n: u64| Duration::from_secs(n * 60 * 60);
    for (made_ago, expected) in
        [(hours(0), None), (hours(24), Some("completed and holds nothing of"))]
    {
        let world = World::at(runtime::now().before(made_ago)).await;
        world.fill().await;
        if expected.is_some() {
            let before = json!({ "scheduled_at": runtime::now().before(hours(14)), "quiet": true });
            world.cloud.invoke("open-backup-run", before).await.unwrap();
        }
        world.cloud.faults().inject(RECORDS.0, Fault::Nothing);
        world.cloud.run_evening(|_| {}).await.unwrap();
        world.cloud.settle().await;
        let jobs = jobs(&world.cloud).await;
        let of_records =
            jobs.iter().filter(|it| it["resource"].as_str().unwrap().ends_with("RecordsTable"));
        let faults: Vec<&str> = of_records.filter_map(|it| it["fault"].as_str()).collect();
        match expected {
            None => assert!(faults.is_empty(), "{faults:?}"),
            Some(expected) => assert!(faults[0].starts_with(expected), "{faults:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_did_not_reach_the_other_vault_is_noted() {
    let world = World::new().await;
    let event = event("backups/record_job/copy_failed");
    let outcome = world.cloud.invoke("record-backup-job", event).await.unwrap();
    assert_eq!(outcome["fault"], "FAILED: \"The copy was refused.\"");
    assert!(outcome["again"].is_null());
    assert_eq!(jobs(&world.cloud).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_lost_or_late_hides_nothing() {
    let world = stage().await;
    world.cloud.faults().inject(RECORDS.0, Fault::Silent);
    world.cloud.faults().inject(ACCOUNTS.0, Fault::Late(Duration::from_millis(300)));
    let (refuted, _) = evening(&world.cloud, "records").await;
    // The restore test does not go by the events of backups.
    assert_eq!(refuted, Vec::<String>::new());
    world.cloud.settle().await;
    let noted = jobs(&world.cloud).await;
    let of = |table: &str| {
        noted.iter().filter(|it| it["resource"].as_str().unwrap().ends_with(table)).count()
    };
    assert_eq!((of("RecordsTable"), of("AccountsTable")), (0, 1));
    // Within the hour, it is looked for.
    let looked = world.cloud.invoke("record-backup-job", json!({})).await.unwrap();
    assert_eq!(looked["taken_up"].as_array().unwrap().len(), 1, "{looked}");
    let noted = jobs(&world.cloud).await;
    let of = noted.iter().filter(|it| it["resource"].as_str().unwrap().ends_with("RecordsTable"));
    assert_eq!(of.count(), 1);
    let again = world.cloud.invoke("record-backup-job", json!({})).await.unwrap();
    assert_eq!(again["taken_up"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_fails_and_one_that_is_gone_are_found_within_the_hour() {
    let world = stage().await;
    world.cloud.run_evening(|_| {}).await.unwrap();
    let audit = async || {
        let found = world.cloud.invoke("audit-backups", json!({})).await.unwrap();
        let broken = found["broken"].as_array().unwrap().iter();
        broken.map(|it| it.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(audit().await, Vec::<String>::new());
    let copies = operator::recovery_points(&world.cloud, "AIR_GAPPED_VAULT").await;
    assert_eq!(copies.len(), 7, "each is copied out of reach");
    for point in copies.iter().filter(|it| it.contains("RecordsTable")) {
        let point = point.split(' ').next_back().unwrap();
        world.cloud.lose_recovery_point(point).unwrap();
    }
    assert_eq!(audit().await, ["copy of records: none of late"]);
    let kept = operator::recovery_points(&world.cloud, "BACKUP_VAULT").await;
    let logins = kept.iter().find(|it| it.contains("LoginsTable")).unwrap();
    world.cloud.lose_recovery_point(logins.split(' ').next_back().unwrap()).unwrap();
    let broken = audit().await;
    assert!(
        broken.contains(&"recovery points that were verified: logins".to_owned()),
        "{broken:?}"
    );
    assert!(broken.contains(&"backup of logins: none of late".to_owned()), "{broken:?}");
    // A copy that fails without a word is noted.
    world.cloud.faults().inject(RECORDS.0, Fault::NotCopied);
    world.cloud.faults().inject(RECORDS.0, Fault::Silent);
    world.cloud.run_evening(|_| {}).await.unwrap();
    let looked = world.cloud.invoke("record-backup-job", json!({})).await.unwrap();
    assert_eq!(
        looked["taken_up"].as_array().unwrap().len(),
        2,
        "the backup and its copy: {looked}"
    );
    let faults: Vec<Value> =
        jobs(&world.cloud).await.iter().map(|it| it["fault"].clone()).collect();
    assert!(faults.contains(&json!("FAILED: \"The copy was refused.\"")), "{faults:?}");
}

/// AWS's events are best effort. What nobody has judged an hour later is taken up.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_of_which_no_event_tells_is_taken_up() {
    let world = stage().await;
    let evening = world.cloud.back_up(&mut |_| {}).await.unwrap();
    assert!(evening.chain_holds);
    world.cloud.faults().inject(RECORDS.0, Fault::SilentRestore);
    let evening = world.cloud.test_restores(evening, &mut |_| {}).await.unwrap();
    assert_eq!((evening.verdicts.len(), evening.failed.len()), (6, 1), "{evening:?}");
    let looked = world.cloud.invoke("verify-restore", json!({})).await.unwrap();
    assert_eq!((&looked["outcome"], &looked["job"]), (&json!("taken_up"), &Value::Null));
    let an_hour_later = runtime::now().after(Duration::from_secs(60 * 60 + 1));
    let environment = world.cloud.operator_environment();
    let lookup = |name: &str| environment.get(name).cloned();
    let context = (verify_restore::FUNCTION.build)(&OperatorEnv::new(Env::new(&lookup))).unwrap();
    let looked = verify_restore::take_up::take_up(&context, an_hour_later).await.unwrap();
    let looked = serde_json::to_value(looked).unwrap();
    assert!(looked["job"].is_string(), "{looked}");
    let verified = operator::documents(&world.cloud, "BACKUPS", "VERIFIED#").await;
    assert_eq!(verified.len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_is_given_once() {
    let world = stage().await;
    let evening = world.cloud.run_evening(|_| {}).await.unwrap();
    assert_eq!(evening.verdicts.len(), 7, "{evening:?}");
    assert_eq!(evening.evidence["state"], "kept");
    let verified = operator::documents(&world.cloud, "BACKUPS", "VERIFIED#").await;
    assert_eq!(verified.len(), 7);
    let mut again = event("backups/verify_restore/ok");
    again["detail"]["restoreJobId"] = verified[0]["job"].clone();
    let again = world.cloud.invoke("verify-restore", again).await.unwrap();
    assert_eq!(again["outcome"], "judged_before");
    assert_eq!(operator::documents(&world.cloud, "BACKUPS", "VERIFIED#").await.len(), 7);
    let failed = event("backups/verify_restore/failed");
    let failed = world.cloud.invoke("verify-restore", failed).await.unwrap();
    assert_eq!(failed["outcome"], "not_restored");
}

/// What the state machine of infra/verify.yaml does with the event of a restore: its parts, then all.
async fn verify_in_segments(cloud: &Cloud, job: &str, of: u32) -> Value {
    operator::restored(cloud, job).await;
    let mut event = event("backups/verify_restore/ok");
    event["detail"]["restoreJobId"] = json!(job);
    for index in 0..of {
        let mut part = event.clone();
        part["segment"] = json!({ "index": index, "of": of });
        let looked = cloud.invoke("verify-restore", part).await.unwrap();
        assert_eq!(looked["outcome"], "looked_at", "{looked}");
    }
    event["segments"] = json!(of);
    cloud.invoke("verify-restore", event).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_functions_come_to_the_verdict_that_one_does() {
    let world = stage().await;
    for fault in [None, Some("DELETE FROM items WHERE item LIKE '%\"RECORD#%'")] {
        if let Some(fault) = fault {
            world.cloud.faults().inject(RECORDS.0, Fault::Copied(fault.to_owned()));
        }
        world.cloud.run_evening(|_| {}).await.unwrap();
    }
    let by_one = operator::documents(&world.cloud, "BACKUPS", "VERIFIED#").await;
    let world = world.restarted(&[("VerificationSegments", "5")]).await;
    let mut outcomes = Vec::new();
    for job in world.cloud.start_restore_test().unwrap() {
        outcomes.push(verify_in_segments(&world.cloud, &job, 5).await);
    }
    let by_many = operator::documents(&world.cloud, "BACKUPS", "VERIFIED#").await;
    assert_eq!((by_one.len(), by_many.len()), (14, 21), "{outcomes:?}");
    let of_records = |all: &[Value]| -> Vec<(u64, u64)> {
        let records = all.iter().filter(|it| it["resource"] == "records");
        let counts =
            |it: &Value| (it["checked"].as_u64().unwrap(), it["findings"].as_u64().unwrap());
        let mut counts: Vec<_> = records.map(counts).collect();
        counts.sort_unstable();
        counts
    };
    let (one, many) = (of_records(&by_one), of_records(&by_many));
    assert_eq!((one.len(), many.len()), (2, 3));
    let refuted = *one.iter().find(|(_, findings)| *findings > 0).unwrap();
    assert_eq!(many.iter().filter(|it| **it == refuted).count(), 2, "{many:?}");
    let verdicts = outcomes.iter().filter(|it| it["outcome"] == "verified").count();
    assert_eq!(verdicts, 6, "{outcomes:?}");
}

/// Between the cut and the copy, a company signs up, and somebody is let in: their logins say nothing of
/// their time.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_between_the_cut_and_the_copy_is_no_fault() {
    let world = stage().await;
    let cut = runtime::now();
    tokio::time::sleep(Duration::from_millis(2)).await;
    let sign_up = Call::to("POST /v1/customers").later(runtime::now());
    assert_eq!(world.send(sign_up).await.status(), 201);
    let manifest = backup::manifest(&world.operator, cut).await.unwrap();
    let bucket = world.bucket();
    let verifier = Verifier {
        operator: &world.operator,
        bucket: &bucket,
        manifest: &manifest,
        looks_in_use: true,
    };
    for (run, (table, kind)) in
        [("LOGINS_TABLE", TableKind::Logins), ("ACCOUNTS_TABLE", TableKind::Accounts)]
            .into_iter()
            .enumerate()
    {
        let copy = operator::back_up_and_restore(&world.cloud, table, run).await;
        let report = verifier.table(kind, &copy).await.unwrap();
        assert_eq!(report.findings.counts, [].into(), "{table}: {:?}", report.findings);
    }
}
