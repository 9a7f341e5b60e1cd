//! Where the chain is broken, what is gone is named: each item with cause, key and customer, by the backup
//! of the evening that was whole.

use backup::Cause::{self, Altered, Backdated, Vanished};
use local::Progress;

use crate::faults::{A, B};
use crate::losses::{ACCOUNTS, LEDGER, Loss, MACHINE, RECORDS, STRAY, VIEWER, happen};
use crate::verification::stage;
use testing::operator;
use testing::world::RECORD;

/// What happens, the table, what is named, how often, and one of the keys.
type Row = (Loss, &'static str, &'static [(Cause, usize)], String);

fn rows() -> Vec<Row> {
    let rev = |n: u32| format!("{A}/REVISION#RECORD#{RECORD}#{n:010}");
    let viewer = format!("{A}/REVISION#{VIEWER}#0000000001");
    vec![
        (Loss::Table(RECORDS), "records", &[(Vanished, 11)], rev(1)),
        (Loss::Table(ACCOUNTS), "accounts", &[(Vanished, 20)], viewer.clone()),
        (Loss::Customer(A), "records", &[(Vanished, 6)], rev(2)),
        (Loss::Record(1), "records", &[(Vanished, 1)], rev(1)),
        (Loss::Record(2), "records", &[(Vanished, 1)], rev(2)),
        (Loss::Everything, "records", &[(Vanished, 2)], rev(2)),
        (Loss::Content, "records", &[(Altered, 1)], rev(2)),
        (Loss::SwappedContents, "records", &[(Altered, 2)], rev(1)),
        (Loss::Redated, "records", &[(Altered, 1)], rev(2)),
        (Loss::Damaged, "records", &[(Altered, 1)], String::new()),
        (Loss::Author, "records", &[(Altered, 1)], rev(1)),
        (Loss::Role, "accounts", &[(Altered, 1)], viewer),
        (Loss::Form, "accounts", &[(Altered, 1)], format!("{A}/REVISION#{MACHINE}#0000000001")),
        (
            Loss::Item(ACCOUNTS, A, "REVISION#TYPE#machine#0000000001"),
            "accounts",
            &[(Vanished, 1)],
            format!("{A}/REVISION#{MACHINE}#0000000001"),
        ),
        (
            Loss::Restored,
            "records",
            &[(Altered, 1)],
            format!("{B}/REVISION#RECORD#{RECORD}#0000000002"),
        ),
        (Loss::Backdated, "records", &[(Backdated, 1)], format!("{A}/REVISION#{STRAY}#0000000001")),
        (Loss::AnotherRevision, "records", &[(Backdated, 1)], rev(3)),
        (
            Loss::Moved,
            "records",
            &[(Backdated, 1), (Vanished, 2)],
            format!("{B}/REVISION#{STRAY}#0000000001"),
        ),
        (
            Loss::Item(LEDGER, "ERASED#01KEZ00000CSTMRBBBBBBBBBBB", "RECORD#X"),
            "ledger",
            &[(Vanished, 1)],
            format!("ERASED#{B}/RECORD#{RECORD}"),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_named_by_the_backup_of_the_evening_that_was_whole() {
    let mut unlike = Vec::new();
    for (loss, table, causes, key) in rows() {
        let world = stage().await;
        let whole = world.cloud.run_evening(|_| {}).await.unwrap();
        assert!(whole.chain_holds, "{loss:?}");
        happen(&world, loss).await;
        let mut named = Vec::new();
        let broken = world.cloud.run_evening(|progress| {
            if let Progress::Traced { table, gone } = progress {
                named.push((table, gone));
            }
        });
        assert!(!broken.await.unwrap().chain_holds, "{loss:?}");
        let [(of, gone)] = &named[..] else { panic!("{loss:?}: {named:?}") };
        let count = |cause: &Cause| {
            let cause = serde_json::to_value(cause).unwrap();
            let cause = format!("{} ", cause.as_str().unwrap());
            gone.iter().filter(|it| it.starts_with(&cause)).count()
        };
        let all: usize = causes.iter().map(|(_, count)| count).sum();
        let counted = gone.len() == all && causes.iter().all(|(cause, n)| count(cause) == *n);
        if of != table || !counted || !gone.iter().any(|it| it.contains(&key)) {
            unlike.push(format!("{loss:?}: {of} {gone:#?}"));
        }
        let tables = operator::tables(&world.cloud).await;
        assert!(tables.iter().all(|it| !it.contains("trace")), "nothing is left: {tables:?}");
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
}
