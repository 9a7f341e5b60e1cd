//! One thing that is broken in use is named by its key, and all else is backed up and verified.

use backup::Cause;
use serde_json::Value;

use crate::faults::A;
use crate::verification::{report, stage};
use testing::operator;
use testing::world::{APPENDIX, RECORD};

#[tokio::test(flavor = "multi_thread")]
async fn an_object_whose_bytes_are_gone_is_named_and_all_others_are_backed_up() {
    let world = stage().await;
    let blobs = world.folder().join("objects");
    let gone = std::fs::read_dir(&blobs).unwrap().map(|it| it.unwrap().path());
    let gone = gone.filter(|it| std::fs::read(it).unwrap() == b"a photo of a crack");
    gone.for_each(|it| std::fs::remove_file(it).unwrap());
    let evening = world.cloud.run_evening(|_| {}).await.unwrap();
    let refuted: Vec<&str> = evening
        .verdicts
        .iter()
        .filter(|(_, verdict)| verdict != "SUCCESSFUL")
        .map(|(resource, _)| resource.as_str())
        .collect();
    assert_eq!((refuted, evening.failed), (vec!["appendicesbucket"], vec![]));
    let found = report(&world.cloud, "appendices").await.unwrap();
    let key = format!("{A}/{RECORD}/{APPENDIX}/1");
    assert_eq!(found.findings.counts, [(Cause::Dangling, 1)].into(), "{:?}", found.findings);
    assert_eq!((found.findings.listed[0].key.as_str(), found.checked), (key.as_str(), 0));
    let jobs = operator::documents(&world.cloud, "BACKUPS", "JOB#").await;
    let faults: Vec<&Value> =
        jobs.iter().map(|it| &it["fault"]).filter(|it| !it.is_null()).collect();
    let named = format!("completed with issues: no bytes of 1 objects: {key}");
    assert!(faults.contains(&&Value::from(named)), "{faults:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_no_json_is_named_and_all_others_are_backed_up() {
    for broken in ["{", "", "null", "{\"pk\":5}", "\u{0}\u{1}"] {
        let world = stage().await;
        let database = rusqlite::Connection::open(world.folder().join("dynamodb.sqlite")).unwrap();
        let key = format!("S:REVISION#RECORD#{RECORD}#0000000001");
        let changed = database
            .execute(
                "UPDATE \"am-local-RecordsTable\" SET item_json = ?1 WHERE pk = ?2 AND sk = ?3",
                [broken, &format!("S:{A}"), &key],
            )
            .unwrap();
        assert_eq!(changed, 1);
        let evening = world.cloud.run_evening(|_| {}).await.unwrap();
        let verified = evening.verdicts.iter().filter(|(_, verdict)| verdict == "SUCCESSFUL");
        assert_eq!((verified.count(), &evening.failed), (7, &vec![]), "{broken:?}: {evening:?}");
        let named = format!("{A}/REVISION#RECORD#{RECORD}#0000000001");
        let what = format!("1 in use are not as they were written: {named}");
        assert_eq!(evening.broken, [what], "{broken:?}");
        // All that there was of it is there still.
        let item = operator::item(&world.cloud, "RECORDS_TABLE", (A, &key[2..])).await;
        let bytes: String = broken.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(item["unreadable"].as_s().unwrap(), &bytes);
    }
}
