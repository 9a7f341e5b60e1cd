//! What each function may ask of AWS, against what it does ask: the two must be the same.

use std::collections::BTreeSet;

use local::template::{Permission, Template};
use local::{Cloud, Options, Usage};
use serde_json::Value;
use store::USE_NOTED_EVERY;

use crate::world::{Event, PHOTO, SHARPER_PHOTO, World, options, put, repository};

/// What is asked of the functions, in an order in which nothing takes away what comes later.
fn cases() -> Vec<Event> {
    let case = Event::load;
    vec![
        case("create_customer/ok"),
        // A repeated sign-up looks the first one's login up.
        case("create_customer/ok"),
        case("create_customer/weak_password"),
        case("create_session/ok"),
        // A repeated log-in looks whether the first one's session is still there.
        case("create_session/ok"),
        case("create_session/cookie"),
        case("create_session/wrong_password"),
        case("create_session/unknown_email"),
        case("get_session/ok"),
        case("create_record/ok"),
        case("create_record/chosen_id"),
        case("create_record/invalid_title"),
        case("list_records/ok"),
        case("get_record/ok"),
        case("update_record/ok"),
        case("update_record/stale"),
        case("list_revisions/ok"),
        case("list_appendices/ok"),
        case("add_appendix/ok"),
        case("add_appendix_version/ok"),
        case("get_appendix/ok"),
        case("get_appendix/named_version"),
        case("delete_appendix/ok").header("if-match", "\"2\""),
        case("delete_record/ok").header("if-match", "\"2\""),
        case("delete_session/ok"),
    ]
}

/// Reserves, with either function, and uploads what was reserved.
async fn add(world: &World, case: &str, bytes: &[u8]) {
    let reserved = world.send_file(case).await.body();
    let headers = reserved["upload"]["headers"].as_object().unwrap();
    let headers =
        headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().into()));
    let url = reserved["upload"]["url"].as_str().unwrap();
    assert_eq!(put(url, headers, bytes.to_vec()).await.status(), 200);
    world.cloud.settle().await;
}

/// The event of an object that was never uploaded, to a version that somebody has reserved.
fn announced_and_gone() -> Value {
    let mut event = Event::load("store_appendix/ok").json;
    let key = event["detail"]["object"]["key"].as_str().unwrap();
    event["detail"]["object"]["key"] = key.replace("CSTMRAAAAAAAAAAA", "CSTMRVVVVVVVVVVV").into();
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
    let event = Event::load("create_session/ok").later(now).header("idempotency-key", "rotated");
    let answer = cloud.invoke("create-session", event.json).await.unwrap();
    assert_eq!(answer["statusCode"], 201, "{answer}");
    cloud.usage()
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_may_do_what_they_do_and_no_more() {
    let world = World::running(Some(crate::binaries())).await;
    world.fill().await;
    world.upload_photo().await;
    add(&world, "add_appendix/ok", PHOTO).await;
    add(&world, "add_appendix_version/ok", SHARPER_PHOTO).await;
    for announced in ["store_appendix/ok", "store_appendix/unclaimed", "store_appendix/foreign_key"]
    {
        world.cloud.invoke("store-appendix", Event::load(announced).json).await.unwrap();
    }
    world.cloud.invoke("store-appendix", announced_and_gone()).await.unwrap();
    // The second time, it reads what the first one has kept.
    for _ in 0..2 {
        let evening = Event::load("open_backup_run/ok").json;
        world.cloud.invoke("open-backup-run", evening).await.unwrap();
    }
    let link = world.send_file("get_appendix/ok").await.body()["download"]["url"].to_string();
    let download = reqwest::get(link.trim_matches('"')).await.unwrap();
    assert_eq!(download.bytes().await.unwrap(), SHARPER_PHOTO);
    let mut now = world.now;
    for case in cases() {
        // Each finds a session that was last used a while ago, and notes its use.
        now = now.after(USE_NOTED_EVERY);
        let answer = world.send(case.later(now)).await;
        assert!(answer.status() < 500, "{answer:?}");
    }
    let mut usage = world.cloud.usage();
    let renewed = log_in_after_a_rotation(world).await;
    usage.used.extend(renewed.used);
    usage.refused.extend(renewed.refused);
    assert_eq!(usage.refused, BTreeSet::new(), "asked for without a permission");
    let allowed = Template::read(&repository().join("template.yaml")).unwrap().functions().unwrap();
    let allowed: BTreeSet<(String, Permission)> = allowed
        .into_iter()
        .flat_map(|it| it.permissions.into_iter().map(move |one| (it.binary.clone(), one)))
        .collect();
    let unused: Vec<_> = allowed.difference(&usage.used).collect();
    assert!(unused.is_empty(), "allowed and never used: {unused:#?}");
}

/// The requests to the database that a first answer takes, one after the other or at once.
const ROUND_TRIPS: [(&str, u64); 5] = [
    ("get_session/ok", 1),
    ("get_record/ok", 1),
    ("list_records/ok", 2),
    ("create_record/ok", 2),
    ("update_record/ok", 2),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_authenticated_read_is_one_round_trip() {
    let world = World::running(Some(crate::binaries())).await;
    world.fill().await;
    for (case, expected) in ROUND_TRIPS {
        let count = || world.cloud.usage().requests.values().sum::<u64>();
        let before = count();
        let answer = world.send_file(case).await;
        assert!(answer.status() < 300, "{case}: {answer:?}");
        assert_eq!(count() - before, expected, "{case}");
    }
}
