//! What every event of events/ is answered with, and what is stored afterwards, to the last byte: a
//! refactoring changes neither. Only what is random, or taken from this machine's clock, has a name in
//! brackets in its place.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;

use testing::operator;
use testing::world::{World, event, repository};

/// When the requests of events/ were received.
const RECEIVED_AT: Timestamp = Timestamp::from_millis(1_768_464_000_000);

/// The events that others stand on or that take something away, in their order. All others come last.
const IN_ORDER: [&str; 47] = [
    "accounts/create_customer/ok",
    "accounts/create_customer/weak_password",
    "accounts/create_session/ok",
    "accounts/create_session/cookie",
    "accounts/create_session/wrong_password",
    "accounts/create_session/unknown_email",
    "accounts/get_session/ok",
    "records/create/ok",
    "records/create/chosen_id",
    "records/create/invalid_title",
    "records/get/ok",
    "records/update/ok",
    "records/update/stale",
    "records/list/ok",
    "records/list_revisions/ok",
    "overview/get/ok",
    "inbox/list/ok",
    "inbox/mark/ok",
    "appendices/add/ok",
    "appendices/add_version/ok",
    "appendices/list/ok",
    "appendices/store/ok",
    "appendices/store/unclaimed",
    "appendices/store/foreign_key",
    "appendices/get/ok",
    "appendices/get/named_version",
    "appendices/delete/ok",
    "records/delete/ok",
    "accounts/delete_session/ok",
    "crashes/report/ok",
    "crashes/report/session",
    "crashes/receive_hook/ok",
    "crashes/receive_hook/created",
    "crashes/settle/ok",
    "api/get_openapi/ok",
    "policy/get_requirements/ok",
    "policy/get/ok",
    "backups/open_run/ok",
    "backups/open_run/ahead",
    "backups/record_job/ok",
    "backups/record_job/failed",
    "backups/record_job/copy_failed",
    "backups/verify_restore/ok",
    "backups/verify_restore/failed",
    "backups/restore_service/customer_erased",
    "backups/restore_service/plan",
    "backups/audit/ok",
];

#[tokio::test]
async fn answers_and_stored_items_do_not_change_unnoticed() {
    let world = World::at(RECEIVED_AT).await;
    world.fill().await;
    let (all, mut answers) = (am_service::all(), Vec::new());
    for name in every_event() {
        let function = all.iter().find(|it| name.rsplit_once('/').unwrap().0 == it.folder);
        let answer = world.cloud.invoke(function.unwrap().name, event(&name)).await;
        let answer = match answer {
            // What it answers with has a test of its own.
            Ok(answer) if name == "api/get_openapi/ok" => answer["statusCode"].to_string(),
            Ok(answer) if name == "accounts/export_usage/ok" => {
                answer["csv"].as_str().unwrap().lines().next().unwrap().to_owned()
            }
            Ok(answer) => without_signatures(&serde_json::to_string_pretty(&answer).unwrap()),
            Err(error) => format!("error: {error}"),
        };
        answers.push(format!("# {name}\n{}", lasting(&answer)));
    }
    insta::assert_snapshot!("answers", answers.join("\n\n"));

    world.cloud.settle().await;
    let mut tables = Vec::new();
    for table in ["RECORDS", "ACCOUNTS", "LOGINS", "SESSIONS", "LEDGER"] {
        let items = operator::items(&world.cloud, &format!("{table}_TABLE")).await;
        let mut items: Vec<String> = items.iter().map(shown).collect();
        items.sort();
        items.dedup();
        tables.push(format!("# {table}\n{}", items.join("\n\n")));
    }
    insta::assert_snapshot!("stored_items", tables.join("\n\n"));
}

fn every_event() -> Vec<String> {
    let mut found = BTreeSet::new();
    for function in am_service::all() {
        for file in std::fs::read_dir(repository().join("events").join(function.folder)).unwrap() {
            let case = file.unwrap().path().with_extension("");
            let case = case.file_name().unwrap().to_str().unwrap();
            found.insert(format!("{}/{case}", function.folder));
        }
    }
    let mut events = IN_ORDER.map(str::to_owned).to_vec();
    let gone: Vec<&String> = events.iter().filter(|event| !found.contains(*event)).collect();
    assert!(gone.is_empty(), "there is no event {gone:?}");
    events.extend(found.into_iter().filter(|event| !IN_ORDER.contains(&event.as_str())));
    events
}

/// An item, an attribute a line.
fn shown(item: &HashMap<String, AttributeValue>) -> String {
    let mut item: BTreeMap<&str, String> = item
        .iter()
        .map(|(name, value)| {
            let text = match value {
                AttributeValue::S(text) | AttributeValue::N(text) => lasting(text),
                other => format!("{other:?}"),
            };
            (name.as_str(), text)
        })
        .collect();
    if item["sk"].starts_with("SESSION#") {
        item.insert("sk", "SESSION#[hash]".to_owned());
    }
    // So is who an event is about.
    if item["sk"].starts_with("EVENT#") {
        item.insert("sk", "EVENT#[event]".to_owned());
    }
    // Which part counts a thing is by its id, which may be random.
    if item["sk"].starts_with("USAGE#") {
        item.insert("sk", "USAGE#[part]".to_owned());
        for name in ["bytes", "versions", "records"] {
            item.insert(name, "[count]".to_owned());
        }
    }
    // How large a table is depends on how many parts there are.
    if item["sk"].starts_with("JOB#")
        && let Some((before, rest)) = item["document"].clone().split_once("\"bytes\":")
        && let Some((_, after)) = rest.split_once(',')
    {
        item.insert("document", format!("{before}\"bytes\":\"[bytes]\",{after}"));
    }
    // Each password is hashed with a salt of its own.
    for name in ["password_hash", "started_by", "in_place_of"] {
        if item.contains_key(name) {
            item.insert(name, "[hash]".to_owned());
        }
    }
    // A digest is of all of the item, of what is random in it too.
    let is_random = item["sk"].starts_with("RUN#") || item.values().any(|it| it.contains("[id]"));
    for name in ["digest", "manifest_digest"] {
        if is_random && item.contains_key(name) {
            item.insert(name, "[digest]".to_owned());
        }
    }
    let lines: Vec<String> = item.iter().map(|(name, text)| format!("{name}: {text}")).collect();
    lines.join("\n")
}

/// The text without what is random or of this machine's clock.
fn lasting(text: &str) -> String {
    let (mut shown, mut word) = (String::new(), String::new());
    for c in without_nonces(text).chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() || "-_:.".contains(c) {
            word.push(c);
            continue;
        }
        shown.push_str(named(&word).unwrap_or(&word));
        word.clear();
        shown.push(c);
    }
    shown.pop();
    shown
}

fn without_nonces(text: &str) -> String {
    let mut parts = text.split("nonce\":[");
    let mut without = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, rest) = part.split_once(']').unwrap();
        without.push_str("nonce\":\"random\"");
        without.push_str(rest);
    }
    // The hash of a token that is random.
    for kind in ["RESET#", "LINK#"] {
        let mut from = 0;
        while let Some(found) = without[from..].find(kind) {
            from += found + kind.len();
            without.replace_range(from..from + 64, "[hash]");
        }
    }
    without
}

/// Signatures of links, and the digest of a manifest, in which everything is.
fn without_signatures(text: &str) -> String {
    let mut without = text.to_owned();
    for before in ["X-Amz-Signature=", "\"digest\": \"lthash:"] {
        let mut from = 0;
        while let Some(found) = without[from..].find(before) {
            from += found + before.len();
            without.replace_range(from..from + 64, "[digest]");
        }
    }
    without
}

/// The name of what a word is, if it is another one each time.
fn named(word: &str) -> Option<&'static str> {
    let all = |is: fn(char) -> bool| word.chars().all(is);
    let number: i64 = word.parse().unwrap_or(0);
    if domain::token::PREFIXES.iter().any(|token| word.starts_with(token)) {
        return Some("[token]");
    }
    if word.starts_with("127.0.0.1:") {
        return Some("[address]");
    }
    let is_ulid = word.len() == 26 && all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    if is_ulid && !word.starts_with("01KEZ00000") {
        return Some("[id]");
    }
    if word.len() == 32 && all(|c| c.is_ascii_hexdigit()) {
        return Some("[job]");
    }
    let near = |millis: i64| (millis - RECEIVED_AT.millis()).abs() < 40 * 24 * 60 * 60 * 1000;
    // Milliseconds and seconds of this century.
    if (1_700_000_000_000..4_000_000_000_000).contains(&number) && !near(number) {
        return Some("[ms]");
    }
    if (1_700_000_000..4_000_000_000).contains(&number) && !near(number * 1000) {
        return Some("[s]");
    }
    let is_time = word.len() > 19 && word.starts_with("20") && word.ends_with('Z');
    if is_time && !["2026-01-", "2026-02-"].iter().any(|month| word.starts_with(month)) {
        return Some("[time]");
    }
    None
}

#[test]
fn every_function_has_an_event_and_every_event_a_function() {
    let mut expected: Vec<&str> = am_service::all().iter().map(|it| it.folder).collect();
    let mut found = Vec::new();
    for subject in std::fs::read_dir(repository().join("events")).unwrap() {
        let subject = subject.unwrap().path();
        for folder in
            subject.is_dir().then(|| std::fs::read_dir(&subject).unwrap()).into_iter().flatten()
        {
            let folder = folder.unwrap().path();
            let folder = folder.strip_prefix(repository().join("events")).unwrap();
            found.push(folder.to_str().unwrap().to_owned());
        }
    }
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}
