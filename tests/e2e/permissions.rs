//! What each function may ask of AWS, against what it does ask: the two must be the same.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::VersionNumber;
use local::template::{Permission, Template};
use local::{Cloud, Fault, Options, Usage};
use serde_json::{Value, json};
use store::ObjectKey;
use store::tenant::USE_NOTED_EVERY;

use testing::collector::{Collector, Manner};
use testing::operator;
use testing::world::{
    Call, PHOTO, Person, SHARPER_PHOTO, World, event, options, put, record_id, repository,
};

/// What is asked of the functions, in an order in which nothing takes away what comes later.
fn cases() -> Vec<Call> {
    let case = Call::to;
    let known = vec![
        case("POST /v1/customers"),
        // A repeated sign-up looks the first one's login up.
        case("POST /v1/customers"),
        case("POST /v1/customers weak_password"),
        case("POST /v1/sessions"),
        // A repeated log-in looks whether the first one's session is still there.
        case("POST /v1/sessions"),
        case("POST /v1/sessions cookie"),
        // In a browser in which somebody else is logged in.
        case("POST /v1/sessions cookie")
            .header("idempotency-key", "cookie-2")
            .cookie(&format!("__Host-session={}", Person::Member.token().expose())),
        case("POST /v1/sessions wrong_password"),
        case("POST /v1/sessions unknown_email"),
        case("GET /v1/session"),
        case("PUT /v1/password").with("current_password", json!("another")),
        case("POST /v1/records"),
        case("POST /v1/records chosen_id"),
        case("POST /v1/records invalid_title"),
        case("GET /v1/records"),
        case("GET /v1/records by_change"),
        case("GET /v1/records/{record_id}"),
        case("PUT /v1/records/{record_id}"),
        case("PUT /v1/records/{record_id} stale"),
        case("GET /v1/records/{record_id}/revisions"),
        case("GET /v1/records/{record_id}/appendices"),
        case("POST /v1/records/{record_id}/appendices"),
        case("POST /v1/records/{record_id}/comments"),
        case("PUT /v1/records/{record_id}/comments/{comment_id}"),
        case("DELETE /v1/records/{record_id}/comments/{comment_id}").header("if-match", "\"2\""),
        case("POST /v1/records/{record_id}/appendices/{appendix_id}/versions"),
        case("GET /v1/records/{record_id}/appendices/{appendix_id}"),
        case("GET /v1/records/{record_id}/appendices/{appendix_id} named_version"),
    ];
    let last = vec![
        case("DELETE /v1/records/{record_id}/appendices/{appendix_id}").header("if-match", "\"2\""),
        case("DELETE /v1/records/{record_id}").header("if-match", "\"2\""),
        case("DELETE /v1/session"),
    ];
    let asked: BTreeSet<String> = known.iter().chain(&last).map(Call::binary).collect();
    let others = am_service::all().into_iter().filter(|it| !asked.contains(it.name));
    // Crashes have a stage of their own.
    let others = others.filter(|it| !it.folder.starts_with("crashes/"));
    let others = others.filter_map(|it| Some(case(&it.endpoint?.declaration.routes[0].key())));
    known.into_iter().chain(others).chain(last).collect()
}

/// What is allowed, and asked for by no case, and why.
const FOR_A_REASON: [(&str, &str, &str, &str); 27] = [
    // Shared out among functions: tests/proof/drill.rs.
    ("restore-service", "ListBucket", "evidencebucket", "whether a part is done"),
    ("restore-service", "PutObject", "parts/restores/*", "what a part has found"),
    ("restore-service", "BatchGetItem", "IndexTable", "a file that had arrived is stored"),
    ("restore-service", "UpdateItem", "IndexTable", "a file that had arrived is stored"),
    // tests/it/hardened.rs has these.
    ("get-usage", "Query", "RecordsTable", "of a company that is not counted yet"),
    ("add-appendix-version", "Query", "RecordsTable", "of a company that is not counted yet"),
    ("store-appendix", "DeleteObject", "appendicesbucket/*", "what came too late"),
    ("join-company", "UpdateItem", "IndexTable", "of a feed that has begun, as accept-invitation"),
    // AWS asks for these of who restores a table, for the copying that it does in their name.
    ("restore-service", "BatchWriteItem", "Table-*", "AWS copies"),
    ("restore-service", "DeleteItem", "Table-*", "AWS copies"),
    ("restore-service", "UpdateItem", "Table-*", "AWS copies"),
    ("restore-service", "GetItem", "LoginsTable-*", "AWS copies"),
    ("restore-service", "PutItem", "LoginsTable-*", "AWS copies"),
    ("restore-service", "Query", "LoginsTable-*", "AWS copies"),
    // A change is cut in two by a hair's breadth of time, which no test can aim at.
    ("restore-service", "GetItem", "RecordsTable-*", "mends what was cut in two"),
    ("restore-service", "GetItem", "AccountsTable-*", "mends what was cut in two"),
    ("restore-service", "PutItem", "AccountsTable-*", "mends what was cut in two"),
    ("restore-service", "Query", "RecordsTable-*", "mends what was cut in two"),
    ("restore-service", "Query", "AccountsTable-*", "mends what was cut in two"),
    ("restore-service", "BatchGetItem", "AccountsTable-*", "looks closely where sums differ"),
    ("restore-service", "BatchGetItem", "LoginsTable-*", "looks closely where sums differ"),
    // The local tables have no tags, and a restore of what was restored is like the first.
    ("restore-service", "TagResource", "Table-*", "tags"),
    ("restore-service", "ListTagsOfResource", "Table-*", "a second restore"),
    ("restore-service", "RestoreTableToPointInTime", "Table-*", "a second restore"),
    ("restore-service", "UpdateTimeToLive", "LoginsTable-*", "one set of protections for all"),
    // A backup that lacks some of the bytes.
    ("restore-service", "ListBucket", "restored-*", "tells what is not there"),
    ("open-backup-run", "BatchGetItem", "AccountsTable", "looks for what seems to be gone"),
];

fn is_for_a_reason(function: &str, permission: &Permission) -> bool {
    let Permission { action, resource, .. } = permission;
    FOR_A_REASON.iter().any(|(of, asked, on, _)| {
        *of == function && action.ends_with(&format!(":{asked}")) && resource.ends_with(on)
    })
}

/// Reserves, with either function, and uploads what was reserved.
async fn add(world: &World, case: Call, bytes: &[u8]) {
    let reserved = world.send(case).await.body();
    let headers = reserved["upload"]["headers"].as_object().unwrap();
    let headers =
        headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().into()));
    let url = reserved["upload"]["url"].as_str().unwrap();
    assert_eq!(put(url, headers, bytes.to_vec()).await.status(), 200);
    world.cloud.settle().await;
}

/// Evenings with and without a fault in each copy, so that all is looked at closely too.
async fn prove(world: &World) {
    world.cloud.run_evening(|_| {}).await.unwrap();
    let tables = ["RecordsTable", "AccountsTable", "LedgerTable"];
    for table in tables {
        let lost = "DELETE FROM items WHERE rowid % 2 = 0;
                    UPDATE items SET item = json_set(item, '$.noted_at_ms.N', '1')";
        let lost = Fault::Copied(lost.to_owned());
        world.cloud.faults().inject(&format!("am-local-{table}"), lost);
    }
    let stray = "INSERT INTO objects SELECT replace(key, '/1', '/7'), bytes, content_type, file \
                 FROM objects";
    let bucket = "am-local-appendicesbucket";
    world.cloud.faults().inject(bucket, Fault::Copied(stray.to_owned()));
    world.cloud.faults().inject("am-local-SessionsTable", Fault::Ends("FAILED"));
    world.cloud.faults().inject("am-local-LoginsTable", Fault::Nothing);
    let evening = world.cloud.run_evening(|_| {}).await.unwrap();
    assert!(evening.verdicts.iter().any(|(_, verdict)| verdict == "FAILED"), "{evening:?}");
}

/// A restore to before something was erased, of bytes that are gone; the switch, and what follows it.
async fn restore(world: World, erased: &str) -> (World, Usage) {
    let (mut now, second) = (runtime::now(), runtime::now().seconds() + 1);
    while now.seconds() <= second {
        tokio::time::sleep(Duration::from_millis(20)).await;
        now = runtime::now();
    }
    let erase = Call::to("DELETE /v1/records/{record_id}").by(Person::B).later(runtime::now());
    let erased = world.send(erase.path("record_id", erased)).await;
    assert_eq!(erased.status(), 204, "{erased:?}");
    let later = Call::to("POST /v1/records/{record_id}/appendices/{appendix_id}/versions")
        .by(Person::B)
        .later(runtime::now());
    add(&world, later.header("idempotency-key", "later"), SHARPER_PHOTO).await;
    operator::hide_object(&world.cloud, &announced_key()).await;
    // Nor does the bucket have it any more: it is in the backup alone.
    for file in std::fs::read_dir(world.folder().join("objects")).unwrap() {
        let file = file.unwrap().path();
        if std::fs::read(&file).unwrap() == PHOTO {
            std::fs::remove_file(file).unwrap();
        }
    }
    let to = domain::Timestamp::from_millis(second * 1000);
    let order = json!({ "to": to, "reason": "drill", "execute": true });
    let outcome = loop {
        let outcome = world.cloud.invoke("restore-service", order.clone()).await.unwrap();
        if outcome["wait"] == false {
            break outcome;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(outcome["state"], "ready", "{outcome}");
    assert_eq!(outcome["restore"]["erased_again"], 1, "{outcome}");
    let usage = world.cloud.usage();
    let restored_as = outcome["restore"]["restored_as"].as_str().unwrap().to_owned();
    let world = world.restarted(&[("RestoredAs", &restored_as)]).await;
    let outcome = world.cloud.invoke("restore-service", order).await.unwrap();
    assert_eq!(outcome["state"], "done", "{outcome}");
    (world, usage)
}

/// The key of A's photo.
fn announced_key() -> String {
    let event = event("appendices/store/ok");
    event["detail"]["object"]["key"].as_str().unwrap().to_owned()
}

/// The event of an object that was never uploaded, to a version that somebody has reserved.
async fn announced_and_gone(world: &World) -> Value {
    let (session, first) = (world.session(Person::A).await, VersionNumber::FIRST);
    let other = "01KEZ00000APPNDXZZZZZZZZZZ".parse().unwrap();
    let key = ObjectKey::new(&session.customer, record_id(), other, first);
    world.reserve(&session, &key).await.unwrap();
    let mut event = event("appendices/store/ok");
    event["detail"]["object"]["key"] = key.to_string().into();
    event
}

/// Puts a new pepper before the one in force, as docs/DEPLOY.md says, and logs in: the hash that is
/// bound to the earlier one is renewed.
async fn log_in_after_a_rotation(world: World) -> Usage {
    let now = world.now;
    let folder = world.stop();
    let rotated = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(repository().join("infra"), rotated.path().join("infra")).unwrap();
    let template = std::fs::read_to_string(repository().join("template.yaml")).unwrap();
    let peppers = template.replace(
        "PEPPERS: !Sub 'v1=",
        "PEPPERS: !Sub 'v2=a-newer-pepper-of-32-characters-or-more;v1=",
    );
    assert_ne!(peppers, template);
    let path = rotated.path().join("template.yaml");
    std::fs::write(&path, peppers).unwrap();
    let binaries = Some(crate::binaries());
    let options = Options { template: path, binaries, ..options(folder.path()) };
    let cloud = Cloud::start(&options).await.unwrap();
    let event = Call::to("POST /v1/sessions").later(now).header("idempotency-key", "rotated");
    let answer = cloud.invoke("create-session", event.json.clone()).await.unwrap();
    assert_eq!(answer["statusCode"], 201, "{answer}");
    let again = cloud.invoke("create-session", event.json).await.unwrap();
    assert_eq!(again["body"], answer["body"], "the same session");
    cloud.usage()
}

/// Crashes that Sentry takes, that it has had enough of and that it does not take yet; an issue that is
/// resolved, and one that is not any more.
/// An evening at which something is gone that was there the evening before.
async fn lose_and_acknowledge() -> Usage {
    let world = World::running(Some(crate::binaries())).await;
    world.fill().await;
    assert_eq!(world.ask("PUT /v1/records/{record_id}").await.status(), 200);
    world.give_record(Person::B).await;
    crate::people::come_and_go(&world).await;
    let erase = Call::to("DELETE /v1/records/{record_id}").by(Person::B);
    assert_eq!(world.send(erase).await.status(), 204);
    let evening = async || {
        tokio::time::sleep(Duration::from_millis(3)).await;
        let event = json!({ "scheduled_at": runtime::now(), "quiet": true });
        world.cloud.invoke("open-backup-run", event).await.unwrap()["chain"].clone()
    };
    world.cloud.faults().inject("am-local-SessionsTable", Fault::Silent);
    assert!(world.cloud.back_up(&mut |_| {}).await.unwrap().chain_holds);
    // What no event tells is looked for.
    for function in ["record-backup-job", "verify-restore"] {
        world.cloud.invoke(function, json!({})).await.unwrap();
    }
    let (a, b) = (Person::A.customer().to_string(), Person::B.customer().to_string());
    let first = format!("REVISION#RECORD#{}#0000000001", record_id());
    operator::delete_item(&world.cloud, "RECORDS_TABLE", &a, &first).await;
    let (erased, record) = (format!("ERASED#{b}"), format!("RECORD#{}", record_id()));
    operator::delete_item(&world.cloud, "LEDGER_TABLE", &erased, &record).await;
    let user = "REVISION#USER#01KEZ00000PERSNAAAAAAAAAAA#0000000001";
    operator::delete_item(&world.cloud, "ACCOUNTS_TABLE", &a, user).await;
    let broken = evening().await;
    assert_eq!(broken["holds"], false);
    // What is gone is named before somebody acknowledges it.
    let traced = async || {
        let asked = json!({ "run": broken["run"] });
        world.cloud.invoke("trace-chain", asked).await.unwrap()["traces"].clone()
    };
    while traced().await.as_array().unwrap().len() < 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.cloud.settle().await;
    let acknowledge = json!({ "run": broken["run"], "note": "for a test" });
    world.cloud.invoke("acknowledge-chain", acknowledge).await.unwrap();
    // Who has gone is forgotten.
    world.cloud.invoke("forget-person", event("people/forget/ok")).await.unwrap();
    world.cloud.usage()
}

async fn report_crashes() -> Usage {
    const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:sentry";
    let collector = Collector::start().await;
    let world = World::running(Some(crate::binaries())).await;
    let world =
        world.restarted(&[("DeviceSentryDsns", &collector.dsn()), ("SentrySecret", SECRET)]).await;
    let secrets = std::fs::read(world.folder().join("secrets.json")).unwrap();
    let secrets: Value = serde_json::from_slice(&secrets).unwrap();
    let secret = |name: &str| secrets[format!("{SECRET}:SecretString:{name}")].as_str().unwrap();
    collector.state().token = secret("token").to_owned();
    collector.state().organization = secret("organization").to_owned();
    let crash = || {
        let event = Call::to("POST /v1/crashes");
        let body = event.json["body"].as_str().unwrap();
        let body = body.replace("https://public@o1.ingest.de.sentry.io/42", &collector.dsn());
        event.raw_body(&body)
    };
    for (manner, status) in
        [(Manner::TooMany(1), 429), (Manner::Answers(503), 202), (Manner::Takes, 409)]
    {
        collector.state().manner = manner;
        assert_eq!(world.send(crash()).await.status(), status, "{manner:?}");
    }
    for (id, status) in [("1170820242", "resolved"), ("7", "unresolved")] {
        collector.add_issue(id, status, "42", ("Error", "another"));
        let hook = Call::to("POST /v1/sentry-hooks");
        let body = hook.json["body"].as_str().unwrap().replace("1170820242", id);
        let hook = hook.signed(&body, secret("client_secret"));
        assert_eq!(world.send(hook).await.status(), 202);
    }
    // No webhook tells of this one.
    collector.add_issue("8", "resolved", "42", ("Error", "yet another"));
    let outcome = world.cloud.invoke("settle-crashes", json!({})).await.unwrap();
    assert_eq!((&outcome["deleted"], &outcome["sent"]), (&json!(2), &json!(1)), "{outcome}");
    world.cloud.usage()
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_may_do_what_they_do_and_no_more() {
    let world = World::running(Some(crate::binaries())).await;
    // Where nothing was told yet, the feed begins.
    let feed = world.ask("GET /v1/changes").await.body();
    assert_eq!(world.send(Call::to("GET /v1/changes").by(Person::B)).await.status(), 200);
    world.fill().await;
    world.give_record(Person::B).await;
    let another = world.send(Call::to("POST /v1/records chosen_id").by(Person::B)).await.body();
    let another = another["id"].as_str().unwrap().to_owned();
    world.upload_photo().await;
    add(&world, Call::to("POST /v1/records/{record_id}/appendices"), PHOTO).await;
    add(
        &world,
        Call::to("POST /v1/records/{record_id}/appendices/{appendix_id}/versions"),
        SHARPER_PHOTO,
    )
    .await;
    for announced in
        ["appendices/store/ok", "appendices/store/unclaimed", "appendices/store/foreign_key"]
    {
        world.cloud.invoke("store-appendix", event(announced)).await.unwrap();
    }
    let gone = announced_and_gone(&world).await;
    world.cloud.invoke("store-appendix", gone).await.unwrap();
    // The second time, it reads what the first one has kept.
    for _ in 0..2 {
        let evening = event("backups/open_run/ok");
        world.cloud.invoke("open-backup-run", evening).await.unwrap();
    }
    prove(&world).await;
    let link =
        world.ask("GET /v1/records/{record_id}/appendices/{appendix_id}").await.body()["download"]
            ["url"]
            .to_string();
    let download = reqwest::get(link.trim_matches('"')).await.unwrap();
    assert_eq!(download.bytes().await.unwrap(), SHARPER_PHOTO);
    world.cloud.invoke("set-quota", event("accounts/set_quota/ok")).await.unwrap();
    world.cloud.invoke("build-index", event("records/build_index/ok")).await.unwrap();
    let cursor = format!("cursor={}", feed["cursor"].as_str().unwrap());
    let told = world.send(Call::to("GET /v1/changes").query(&cursor)).await.body();
    assert!(told["changes"].as_array().unwrap().len() > 2, "{told}");
    let mut now = world.now;
    for case in cases() {
        // Each finds a session that was last used a while ago, and notes its use.
        now = now.after(USE_NOTED_EVERY);
        let answer = world.send(case.later(now)).await;
        assert!(answer.status() < 500, "{answer:?}");
    }
    let (world, mut usage) = restore(world, &another).await;
    let restored = world.cloud.usage();
    let renewed = log_in_after_a_rotation(world).await;
    let (crashes, losses) = (report_crashes().await, lose_and_acknowledge().await);
    for later in [restored, renewed, crashes, losses, crate::words::come_and_go().await] {
        usage.used.extend(later.used);
        usage.refused.extend(later.refused);
    }
    assert_eq!(usage.refused, BTreeSet::new(), "asked for without a permission");
    let template = Template::read(&repository().join("template.yaml")).unwrap();
    // As the local cloud has it.
    let domain = ("MailDomain".to_owned(), "outbox.example".to_owned());
    let allowed = template.with_parameters(&[domain].into()).unwrap().functions().unwrap();
    let allowed: BTreeSet<(String, Permission)> = allowed
        .into_iter()
        .flat_map(|it| it.permissions.into_iter().map(move |one| (it.binary.clone(), one)))
        .collect();
    let unused: Vec<_> = allowed
        .difference(&usage.used)
        .filter(|(function, permission)| !is_for_a_reason(function, permission))
        .collect();
    assert!(unused.is_empty(), "allowed and never used: {unused:#?}");
}
