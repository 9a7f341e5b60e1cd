//! The policy, row by row: each promise has a test by its number, and each is shown as it stands.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use local::template::Template;
use serde_json::{Value, json};

use testing::operator;
use testing::world::{Call, PASSWORD, PHOTO, Person, World, declared, event, repository};

fn template() -> Template {
    Template::read(&repository().join("template.yaml")).unwrap()
}

fn text(file: &str) -> String {
    std::fs::read_to_string(repository().join(file)).unwrap()
}

/// Row `n` of the policy, as anyone reads it at a time.
async fn row_at(world: &World, n: usize, now: Timestamp) -> Value {
    let answer = world.send(Call::to("GET /v1/policy").later(now)).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    let row = answer.body()["rows"][n - 1].clone();
    assert_eq!(row["row"], n);
    row
}

async fn row(world: &World, n: usize) -> Value {
    row_at(world, n, runtime::now()).await
}

/// Row `n` after an audit.
async fn audited(world: &World, n: usize) -> Value {
    world.cloud.invoke("audit-backups", json!({})).await.unwrap();
    row(world, n).await
}

#[test]
fn every_row_of_the_policy_has_its_test() {
    let tests = text("tests/it/policy.rs");
    for n in 1..=13 {
        assert!(tests.contains(&format!("fn row_{n}_")), "row {n} has no test");
    }
}

#[tokio::test]
async fn nobody_has_looked_yet() {
    let world = World::new().await;
    for n in [1, 5, 6, 7, 8, 9] {
        assert_eq!(row(&world, n).await["state"], "unknown", "row {n}");
    }
}

#[tokio::test]
async fn a_table_that_is_gone_breaks_every_promise_that_it_is_part_of() {
    let world = World::new().await;
    operator::delete_table(&world.cloud, "LOGINS_TABLE").await;
    for (n, what) in [(1, "protection"), (6, "recovery"), (9, "region")] {
        let broken = audited(&world, n).await;
        assert_eq!(broken["state"], "broken", "row {n}");
        let found = &broken["evidence"][format!("{what} of logins")]["found"];
        assert_eq!(found, "there is no such table", "row {n}");
    }
}

#[tokio::test]
async fn row_1_what_is_kept_is_protected_and_it_shows_when_it_is_not() {
    let world = World::new().await;
    // That nothing has disappeared is known from the first evening on.
    assert_eq!(audited(&world, 1).await["state"], "unknown");
    let evening = json!({ "scheduled_at": world.now });
    world.cloud.invoke("open-backup-run", evening).await.unwrap();
    assert_eq!(audited(&world, 1).await["state"], "kept");
    operator::unprotect(&world.cloud, "RECORDS_TABLE").await;
    let broken = audited(&world, 1).await;
    assert_eq!(broken["state"], "broken");
    let found = &broken["evidence"]["protection of records"];
    assert_eq!(found, &json!({ "holds": false, "found": "can be deleted" }));
    // An audit that is no more made says nothing of now.
    let later = runtime::now().after(Duration::from_secs(3 * 60 * 60));
    assert_eq!(row_at(&world, 1, later).await["state"], "unknown");
}

#[tokio::test]
async fn row_2_a_browser_and_an_app_use_the_same_service() {
    let world = World::with_record().await;
    let app = world.ask("GET /v1/records/{record_id}").await;
    let cookie = format!("__Host-session={}", Person::A.token().expose());
    let browser = world.send(Call::to("GET /v1/records/{record_id}").cookie(&cookie)).await;
    assert_eq!((app.status(), app.body()), (200, browser.body()));
    assert_eq!(row(&world, 2).await["state"], "unknown", "nobody looks");
}

#[tokio::test]
async fn row_3_everything_runs_on_aws() {
    let world = World::new().await;
    assert_eq!(row(&world, 3).await["state"], "unknown", "nobody looks");
    for file in ["template.yaml", "infra/storage.yaml", "infra/backup.yaml", "infra/secrets.yaml"] {
        for line in text(file).lines().filter(|line| line.starts_with("    Type: ")) {
            assert!(line.starts_with("    Type: AWS::") || !line.contains("::"), "{file}: {line}");
        }
    }
}

#[tokio::test]
async fn row_4_crashes_go_to_sentry_in_the_european_union() {
    let world = World::new().await;
    assert_eq!(row(&world, 4).await["state"], "unknown", "nowhere, without a DSN");
    let pattern = text("template.yaml");
    assert!(pattern.contains("[.]de[.]sentry[.]io"), "only Sentry's EU region is accepted");
    for function in template().functions().unwrap() {
        assert!(function.environment.contains_key("SENTRY_DSN"), "{}", function.binary);
    }
    // `crashes.rs` has how their data goes when an issue is resolved. Where nobody may delete it:
    let dsn = "https://public@o1.ingest.de.sentry.io/42";
    let world = world.restarted(&[("SentryDsn", dsn)]).await;
    assert_eq!(row(&world, 4).await["state"], "unknown", "nobody has looked yet");
    world.cloud.invoke("settle-crashes", json!({})).await.unwrap();
    let row = row(&world, 4).await;
    assert_eq!(
        (&row["state"], &row["evidence"]["data"]["configured"]),
        (&json!("broken"), &json!(false))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn row_5_a_daily_backup_at_six_is_full_and_verified() {
    let world = World::with_record().await;
    world.upload_photo().await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    world.cloud.run_evening(|_| {}).await.unwrap();
    let kept = row(&world, 5).await;
    assert_eq!(kept["state"], "kept");
    let evidence = &kept["evidence"];
    // Sessions and evidence are restored once a week.
    let nightly = ["accounts", "appendices", "ledger", "logins", "records"];
    assert_eq!(evidence["checked"], json!(nightly));
    assert!(
        evidence["revisions"].is_null() && evidence["appendices"].is_null(),
        "nobody's business"
    );
    for (hours, state) in [(29, "kept"), (31, "broken")] {
        let later = runtime::now().after(Duration::from_secs(hours * 60 * 60));
        assert_eq!(row_at(&world, 5, later).await["state"], state, "{hours} hours later");
    }
    for (resource, hours, state) in
        [("evidence", 197, "kept"), ("evidence", 199, "broken"), ("sessions", 199, "broken")]
    {
        let since = runtime::now().before(Duration::from_secs(hours * 60 * 60));
        let last = json!({ "since": since }).to_string();
        let sort = format!("POLICY#weekly-restore-of-{resource}");
        let item = [("pk", "POLICY"), ("sk", &sort), ("document", &last)];
        let item = item.map(|(name, text)| (name.to_owned(), AttributeValue::S(text.to_owned())));
        let noted = ("noted_at_ms".to_owned(), AttributeValue::N("0".to_owned()));
        let item = item.into_iter().chain([noted]).collect();
        operator::put_item(&world.cloud, "LEDGER_TABLE", item).await;
        assert_eq!(audited(&world, 5).await["state"], state, "{resource} {hours} hours ago");
    }
    let plan = text("infra/backup.yaml");
    let (rule, _) = plan.split_once("RuleName: monthly").unwrap();
    for part in ["cron(0 18 * * ? *)", "ScheduleExpressionTimezone", "StartWindowMinutes: 60"] {
        assert!(rule.contains(part), "{part}");
    }
}

#[tokio::test]
async fn row_6_every_table_can_go_back_to_any_second_and_it_shows_when_it_cannot() {
    let world = World::new().await;
    let kept = audited(&world, 6).await;
    assert_eq!(kept["state"], "kept");
    let found = kept["evidence"]["recovery of records"]["found"].as_str().unwrap();
    assert!(found.starts_with("35 days, from 20"), "{found}");
    operator::switch_recovery_off(&world.cloud, "LOGINS_TABLE").await;
    let broken = audited(&world, 6).await;
    assert_eq!(broken["state"], "broken");
    assert_eq!(broken["evidence"]["recovery of logins"]["found"], "off");
}

#[tokio::test]
async fn row_7_every_version_of_an_appendix_is_saved() {
    let world = World::with_record().await;
    world.upload_photo().await;
    assert_eq!(audited(&world, 7).await["state"], "kept");
    let version = operator::newest_version(&world.cloud, "APPENDICES_BUCKET").await;
    operator::delete_version_is_refused(&world.cloud, &version).await;
    let storage = text("infra/storage.yaml");
    assert!(storage.contains("s3:DeleteObjectVersion"), "denied to everybody on AWS");
    assert_eq!(declared(PHOTO).bytes.get(), PHOTO.len() as u64);
}

#[tokio::test]
async fn row_8_backups_are_locked_and_copied_to_where_nobody_reaches() {
    let world = World::new().await;
    let kept = audited(&world, 8).await;
    assert_eq!(kept["state"], "kept");
    for name in ["zones of appendices", "lock of the vault", "lock of the air-gapped vault"] {
        assert_eq!(kept["evidence"][name]["holds"], true, "{name}");
    }
    let plan = text("infra/backup.yaml");
    assert_eq!(plan.matches("DestinationBackupVaultArn: !GetAtt AirGappedVault").count(), 2);
    assert!(!plan.contains("ONEZONE") && !text("infra/storage.yaml").contains("ONEZONE"));
}

#[tokio::test]
async fn row_9_everything_is_in_frankfurt() {
    let world = World::new().await;
    let kept = audited(&world, 9).await;
    assert_eq!(kept["state"], "kept");
    assert_eq!(kept["evidence"]["functions"]["found"], "eu-central-1");
    let template = text("template.yaml");
    assert!(template.contains("DataStaysInFrankfurt"));
    for file in ["template.yaml", "infra/storage.yaml", "infra/backup.yaml"] {
        let text = text(file);
        for region in ["us-", "eu-west", "eu-north", "eu-south", "eu-central-2", "ap-"] {
            let named =
                text.contains(&format!(":{region}")) || text.contains(&format!(" {region}"));
            assert!(!named, "{file} names {region}");
        }
    }
}

#[tokio::test]
async fn row_10_what_a_customer_has_erased_is_not_restored() {
    let world = World::with_record().await;
    let functions = template().functions().unwrap();
    let restore = functions.iter().find(|it| it.binary == "restore-service").unwrap();
    assert!(restore.routes.is_empty() && restore.patterns.is_empty());
    assert!(restore.schedules.is_empty(), "an operator calls it, and nobody else");
    let routes = functions.iter().flat_map(|it| &it.routes);
    assert!(
        routes.filter(|it| it.path.contains("restore") || it.path.contains("undelete")).count()
            == 0
    );
    let event = event("backups/restore_service/customer_erased");
    let refused = world.cloud.invoke("restore-service", event).await.unwrap_err().to_string();
    assert!(refused.contains("the policy promises it"), "{refused}");
    assert_eq!(row(&world, 10).await["evidence"], json!({ "restores": [] }));
}

#[tokio::test]
async fn row_11_requirements_say_when_they_changed() {
    let world = World::new().await;
    let answer = world.ask("GET /v1/requirements").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.body()["browsers"], json!(["Google Chrome", "Microsoft Edge"]));
    let day = answer.body()["last_updated"].as_str().unwrap().to_owned();
    assert_eq!((day.len(), day.matches('-').count()), (10, 2), "{day}");
    assert_eq!(row(&world, 11).await["evidence"], answer.body());
}

#[tokio::test]
async fn row_12_no_table_has_a_password_that_can_be_read() {
    let world = World::new().await;
    let tables =
        ["RECORDS_TABLE", "ACCOUNTS_TABLE", "LOGINS_TABLE", "SESSIONS_TABLE", "LEDGER_TABLE"];
    let mut hashes = 0;
    for table in tables {
        for item in operator::items(&world.cloud, table).await {
            let item = format!("{item:?}");
            assert!(!item.contains(PASSWORD), "{table}");
            // A name that somebody logs in with leads to the login.
            let is_login = table == "LOGINS_TABLE" && !item.contains("S(\"NAME\")");
            assert_eq!(item.contains("$argon2"), is_login, "{table}: {item}");
            hashes += u32::from(item.contains("$argon2id$v=19$m=19456,t=2,p=1"));
        }
    }
    assert_eq!(hashes, 7);
    assert_eq!(row(&world, 12).await["evidence"]["hash"], "argon2id");
}

#[tokio::test]
async fn row_13_everything_goes_by_https() {
    let world = World::new().await;
    let answer = world.send(Call::to("GET /v1/policy").later(runtime::now())).await;
    assert!(answer.header("strict-transport-security").starts_with("max-age="), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "public, max-age=60");
    let storage = text("infra/storage.yaml");
    assert_eq!(storage.matches("'aws:SecureTransport': 'false'").count(), 4, "all buckets");
    assert_eq!(row(&world, 13).await["state"], "unknown", "nobody looks");
}
