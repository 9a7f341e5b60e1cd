//! Appendices: reserve, upload, list, read, delete; and what the bucket says of it.

use serde_json::{Value, json};

use store::tenant::{ListAppendices, Shown};
use store::{ObjectKey, WriteError};

use testing::operator;
use testing::world::{
    APPENDIX, Call, PHOTO, Person, SHARPER_PHOTO, World, appendix_id, declaration, event, put,
    record_id,
};

/// The headers that an answer says to upload with.
fn headers(reserved: &Value) -> Vec<(String, String)> {
    let headers = reserved["upload"]["headers"].as_object().unwrap();
    headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn url(reserved: &Value) -> &str {
    reserved["upload"]["url"].as_str().unwrap()
}

async fn download(answer: &Value) -> (Vec<u8>, String) {
    let url = answer["download"]["url"].as_str().unwrap();
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), 200);
    let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    (answer.bytes().await.unwrap().to_vec(), disposition)
}

/// Reserves the appendix of events/ and gives what it was answered with.
async fn reserve(world: &World) -> Value {
    let answer = world.ask("POST /v1/records/{record_id}/appendices").await;
    assert_eq!(answer.status(), 201, "{answer:?}");
    answer.body()
}

async fn states(world: &World) -> Vec<String> {
    let list = world.ask("GET /v1/records/{record_id}/appendices").await.body();
    let appendices = list["appendices"].as_array().unwrap().iter();
    appendices
        .flat_map(|appendix| appendix["versions"].as_array().unwrap())
        .map(|version| version["state"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn every_version_of_an_appendix_is_kept_and_read_back() {
    let world = World::with_record().await;
    world.upload_photo().await;
    let reserved =
        world.ask("POST /v1/records/{record_id}/appendices/{appendix_id}/versions").await;
    assert_eq!((reserved.status(), reserved.header("etag")), (201, "\"2\""));
    let reserved = reserved.body();
    assert_eq!(reserved["versions"][0]["number"], 2);
    let newest = world.ask("GET /v1/records/{record_id}/appendices/{appendix_id}").await.body();
    assert_eq!(newest["versions"][0]["number"], 1, "the newest one whose bytes are there");
    assert_eq!(put(url(&reserved), headers(&reserved), SHARPER_PHOTO.to_vec()).await.status(), 200);
    world.cloud.settle().await;

    assert_eq!(states(&world).await, ["stored", "stored"]);
    let newest = world.ask("GET /v1/records/{record_id}/appendices/{appendix_id}").await.body();
    let first = world
        .ask("GET /v1/records/{record_id}/appendices/{appendix_id} named_version")
        .await
        .body();
    assert_eq!(newest["versions"][0]["number"], 2);
    assert_eq!(download(&newest).await.0, SHARPER_PHOTO);
    let (bytes, disposition) = download(&first).await;
    assert_eq!(bytes, PHOTO);
    assert!(disposition.starts_with("attachment; filename=\"spricka.jpg\""), "{disposition}");
}

#[tokio::test]
async fn other_bytes_another_size_or_another_type_are_refused() {
    let world = World::with_record().await;
    let reserved = reserve(&world).await;
    let declared = headers(&reserved);
    let with = |name: &str, value: &str| {
        let mut changed = declared.clone();
        changed.iter_mut().find(|(known, _)| known == name).unwrap().1 = value.to_owned();
        changed
    };
    let without = |name: &str| {
        declared.iter().filter(|(known, _)| known != name).cloned().collect::<Vec<_>>()
    };
    let other = b"a photo of a croak".to_vec();
    assert_eq!(other.len(), PHOTO.len());
    let sha_of = |bytes: &[u8]| testing::world::declared(bytes).sha256.to_base64();
    let longer = [PHOTO, b"!"].concat();
    let attempts = [
        ("other bytes", declared.clone(), other.clone(), 400),
        ("other bytes and their hash", with("x-amz-checksum-sha256", &sha_of(&other)), other, 403),
        ("no hash", without("x-amz-checksum-sha256"), PHOTO.to_vec(), 403),
        ("a longer body", with("content-length", &longer.len().to_string()), longer, 403),
        ("another type", with("content-type", "text/html"), PHOTO.to_vec(), 403),
        ("permission to overwrite", without("if-none-match"), PHOTO.to_vec(), 403),
    ];
    for (what, headers, body, status) in attempts {
        let answer = put(url(&reserved), headers, body).await;
        assert_eq!(answer.status(), status, "{what}: {}", answer.text().await.unwrap());
    }
    let elsewhere = url(&reserved).replace("/1?", "/2?");
    assert_eq!(put(&elsewhere, declared.clone(), PHOTO.to_vec()).await.status(), 403);
    world.cloud.settle().await;
    assert_eq!(states(&world).await, ["pending", "pending"]);

    assert_eq!(put(url(&reserved), declared.clone(), PHOTO.to_vec()).await.status(), 200);
    let again = put(url(&reserved), declared, PHOTO.to_vec()).await;
    assert_eq!(again.status(), 412, "a version is uploaded once");
}

#[tokio::test]
async fn an_upload_that_is_cut_off_leaves_nothing() {
    use std::io::Write as _;
    let world = World::with_record().await;
    let reserved = reserve(&world).await;
    let target = url(&reserved).strip_prefix("http://").unwrap();
    let (host, path) = target.split_once('/').unwrap();
    let mut head = format!("PUT /{path} HTTP/1.1\r\nhost: {host}\r\n");
    for (name, value) in headers(&reserved) {
        head += &format!("{name}: {value}\r\n");
    }
    let mut socket = std::net::TcpStream::connect(host).unwrap();
    socket.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    socket.write_all(&PHOTO[..7]).unwrap();
    drop(socket);
    assert_eq!(put(url(&reserved), headers(&reserved), PHOTO.to_vec()).await.status(), 200);
    world.cloud.settle().await;
    assert_eq!(states(&world).await, ["pending", "stored"], "the whole one, and only that");
}

#[tokio::test]
async fn an_expired_permission_uploads_nothing() {
    let world = World::with_record().await;
    let hours_ago = domain::Timestamp::from_millis(world.now.millis() - 2 * 3_600_000);
    let event = Call::to("POST /v1/records/{record_id}/appendices").later(hours_ago);
    let reserved = world.send(event).await.body();
    let answer = put(url(&reserved), headers(&reserved), PHOTO.to_vec()).await;
    assert_eq!(answer.status(), 403);
}

#[tokio::test]
async fn a_version_that_was_never_uploaded_is_pending_and_cannot_be_read() {
    let world = World::with_record().await;
    assert_eq!(states(&world).await, ["pending"]);
    for event in [
        "GET /v1/records/{record_id}/appendices/{appendix_id}",
        "GET /v1/records/{record_id}/appendices/{appendix_id} named_version",
    ] {
        let answer = world.ask(event).await;
        assert_eq!(answer.problem(), (409, "appendix_not_stored".into(), String::new()));
    }
    let unknown = Call::to("GET /v1/records/{record_id}/appendices/{appendix_id} named_version")
        .query("version=2");
    assert_eq!(world.send(unknown).await.status(), 404);
    for query in ["version=0", "version=x", "version=501"] {
        let bad = Call::to("GET /v1/records/{record_id}/appendices/{appendix_id} named_version")
            .query(query);
        assert_eq!(world.send(bad).await.problem().2, "?version", "{query}");
    }
}

#[tokio::test]
async fn a_repeated_reservation_is_one_appendix_with_a_fresh_permission() {
    let world = World::with_record().await;
    let first = reserve(&world).await;
    let again = reserve(&world).await;
    assert_eq!(first["id"], again["id"]);
    assert_eq!(states(&world).await.len(), 2, "the world's own and this one");
    assert_eq!(put(url(&again), headers(&again), PHOTO.to_vec()).await.status(), 200);
    let version =
        world.ask("POST /v1/records/{record_id}/appendices/{appendix_id}/versions").await.body();
    let version_again =
        world.ask("POST /v1/records/{record_id}/appendices/{appendix_id}/versions").await.body();
    assert_eq!(version["versions"], version_again["versions"]);
}

#[tokio::test]
async fn a_bad_declaration_names_its_field() {
    let world = World::with_record().await;
    for event in [
        "POST /v1/records/{record_id}/appendices",
        "POST /v1/records/{record_id}/appendices/{appendix_id}/versions",
    ] {
        for (member, value) in [
            ("bytes", json!(0)),
            ("bytes", json!(-1)),
            ("bytes", json!(1.5)),
            ("bytes", json!(1_073_741_825)),
            ("sha256", json!("00")),
            ("content_type", json!("text/html; charset=utf-8")),
            ("sice", json!(1)),
        ] {
            let answer = world.send(Call::to(event).with(member, value)).await;
            let field = format!("/{member}");
            assert_eq!(answer.problem(), (422, "invalid_field".into(), field), "{event}");
        }
    }
    for name in ["", "../x", "a/b", "a\u{202e}b"] {
        let answer = world
            .send(Call::to("POST /v1/records/{record_id}/appendices").with("name", json!(name)))
            .await;
        assert_eq!(answer.problem().2, "/name", "{name:?}");
    }
}

#[tokio::test]
async fn a_deleted_appendix_is_gone_and_its_bytes_stay() {
    let world = World::with_record().await;
    world.upload_photo().await;
    let link = world.ask("GET /v1/records/{record_id}/appendices/{appendix_id}").await.body();
    let delete = || Call::to("DELETE /v1/records/{record_id}/appendices/{appendix_id}");
    assert_eq!(world.send(delete().without_header("if-match")).await.status(), 428);
    assert_eq!(world.send(delete().header("if-match", "\"2\"")).await.status(), 412);
    let named = || delete().header("idempotency-key", "delete-1");
    assert_eq!(world.send(named()).await.status(), 204);
    assert_eq!(world.send(named()).await.status(), 204, "sent again by its key");
    assert_eq!(world.send(delete()).await.status(), 404);
    assert_eq!(
        world.ask("GET /v1/records/{record_id}/appendices/{appendix_id}").await.status(),
        404
    );
    assert_eq!(
        world.ask("POST /v1/records/{record_id}/appendices/{appendix_id}/versions").await.status(),
        404
    );
    assert!(states(&world).await.is_empty());
    assert_eq!(download(&link).await.0, PHOTO);
}

#[tokio::test]
async fn events_that_come_twice_late_or_for_nothing_do_no_harm() {
    let world = World::with_record().await;
    let outcome = async |name: &str| {
        world.cloud.invoke("store-appendix", event(name)).await.unwrap()["outcome"].clone()
    };
    assert_eq!(outcome("appendices/store/ok").await, "missing", "before the object is there");
    assert_eq!(states(&world).await, ["pending"]);
    world.upload_photo().await;
    assert_eq!(outcome("appendices/store/ok").await, "stored_before");
    assert_eq!(outcome("appendices/store/unclaimed").await, "unclaimed");
    assert_eq!(outcome("appendices/store/foreign_key").await, "unclaimed");
    assert!(world.cloud.invoke("store-appendix", json!({"detail": {}})).await.is_err());
    assert_eq!(states(&world).await, ["stored"]);
}

#[tokio::test]
async fn bytes_that_are_not_as_declared_are_never_shown_as_stored() {
    let world = World::with_record().await;
    // Only we can sign such an upload; a bug or a leaked key might.
    let session = world.session(Person::A).await;
    let number = domain::VersionNumber::FIRST;
    let key = ObjectKey::new(&session.customer, record_id(), appendix_id(), number);
    let other = testing::world::declared(SHARPER_PHOTO);
    let upload = world.objects.presign_upload(&key, &other, world.now).await.unwrap();
    assert_eq!(put(&upload.url, upload.headers, SHARPER_PHOTO.to_vec()).await.status(), 200);
    world.cloud.settle().await;
    let event = event("appendices/store/ok");
    let outcome = world.cloud.invoke("store-appendix", event).await.unwrap();
    assert_eq!(outcome["outcome"], "not_as_declared");
    assert_eq!(states(&world).await, ["pending"]);
}

#[tokio::test]
async fn a_repeated_reservation_of_what_was_deleted_since_is_not_found() {
    let world = World::with_record().await;
    let reserved = reserve(&world).await;
    let version = Call::to("POST /v1/records/{record_id}/appendices/{appendix_id}/versions")
        .path("appendix_id", reserved["id"].as_str().unwrap());
    assert_eq!(world.send(version.clone()).await.status(), 201);
    let delete = Call::to("DELETE /v1/records/{record_id}/appendices/{appendix_id}")
        .path("appendix_id", reserved["id"].as_str().unwrap())
        .header("if-match", "\"2\"");
    assert_eq!(world.send(delete).await.status(), 204);
    assert_eq!(world.ask("POST /v1/records/{record_id}/appendices").await.status(), 404);
    assert_eq!(world.send(version).await.status(), 404);
}

#[tokio::test]
async fn a_record_that_is_deleted_at_the_same_time_gets_no_appendix() {
    let world = World::with_record().await;
    let session = world.session(Person::A).await;
    let number = domain::VersionNumber::FIRST;
    assert_eq!(world.ask("DELETE /v1/records/{record_id}").await.status(), 204);
    // A handler that read the record right before would now reserve.
    let id = "01KEZ00000APPNDXBBBBBBBBBB".parse().unwrap();
    let key = ObjectKey::new(&session.customer, record_id(), id, number);
    let refused = world.reserve(&session, &key).await;
    assert!(matches!(refused, Err(WriteError::Stale { current: None })), "{refused:?}");
}

#[tokio::test]
async fn versions_added_at_once_all_get_a_number_of_their_own() {
    let world = World::with_record().await;
    let add = |n: usize| {
        let event = Call::to("POST /v1/records/{record_id}/appendices/{appendix_id}/versions")
            .header("idempotency-key", &format!("v{n}"));
        world.send(event)
    };
    let answers = futures_util::future::join_all((0..4).map(add)).await;
    let number = |answer: &testing::world::Answer| {
        assert_eq!(answer.status(), 201, "{answer:?}");
        answer.body()["versions"][0]["number"].as_u64().unwrap()
    };
    let mut numbers: Vec<u64> = answers.iter().map(number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [2, 3, 4, 5], "no gap and no number twice");
    assert_eq!(states(&world).await.len(), 5);
}

#[tokio::test]
async fn an_id_that_is_taken_and_a_version_too_many_are_refused() {
    let world = World::with_record().await;
    let taken = Call::to("POST /v1/records/{record_id}/appendices").with("id", json!(APPENDIX));
    let taken = world.send(taken.header("idempotency-key", "taken")).await;
    assert_eq!(taken.problem(), (409, "appendix_exists".into(), String::new()));

    let more = "POST /v1/records/{record_id}/appendices/{appendix_id}/versions";
    assert_eq!(world.ask(more).await.status(), 201);
    let customer = Person::A.customer().to_string();
    // As if 500 had been added; as if a restore had brought version 2 back, and not that it is there.
    for (last_version, code) in [(500, "too_many_versions"), (1, "exists")] {
        let content = json!({
            "record_id": record_id(), "name": "x.jpg", "last_version": last_version,
        });
        let (content, appendix) = (content.to_string(), (customer.as_str(), "APPENDIX#"));
        operator::alter(&world.cloud, "RECORDS_TABLE", appendix, "content", Some(&content)).await;
        let another = Call::to(more).header("idempotency-key", code);
        let another = world.send(another).await;
        assert_eq!(another.problem(), (409, code.into(), String::new()));
    }
}

#[tokio::test]
async fn many_appendices_are_listed_page_by_page_each_whole() {
    let world = World::with_record().await;
    for n in 0..5 {
        let event = Call::to("POST /v1/records/{record_id}/appendices")
            .header("idempotency-key", &format!("a{n}"));
        let id = world.send(event).await.body()["id"].as_str().unwrap().to_owned();
        for v in 0..n {
            let event = Call::to("POST /v1/records/{record_id}/appendices/{appendix_id}/versions")
                .path("appendix_id", &id)
                .header("idempotency-key", &format!("a{n}v{v}"));
            assert_eq!(world.send(event).await.status(), 201);
        }
    }
    // The largest appendix is six items: itself and five versions. Seven are read at a time.
    for items in [7, 8, 11, 1_000] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let question = ListAppendices { record: record_id(), after, items };
            let token = Person::A.token();
            let opened = world.store.open(&Shown::Session(token), world.now, (), question).await;
            let (_, page) = opened.unwrap().unwrap();
            assert!(!page.appendices.is_empty());
            seen.extend(page.appendices.iter().map(|it| (it.id, it.versions.len())));
            after = page.next_after;
            if after.is_none() {
                break;
            }
        }
        let mut unique: Vec<_> = seen.iter().map(|(id, _)| *id).collect();
        unique.sort();
        unique.dedup();
        let mut versions: Vec<_> = seen.iter().map(|(_, versions)| *versions).collect();
        versions.sort_unstable();
        assert_eq!((unique.len(), versions), (6, vec![1, 1, 2, 3, 4, 5]), "{items} at a time");
    }
}

#[tokio::test]
async fn nobody_else_can_upload_or_read_with_a_key_of_their_making() {
    let world = World::with_record().await;
    world.upload_photo().await;
    let link = world.ask("GET /v1/records/{record_id}/appendices/{appendix_id}").await.body();
    let url = link["download"]["url"].as_str().unwrap();
    let bare = url.split('?').next().unwrap();
    assert_eq!(reqwest::get(bare).await.unwrap().status(), 403);
    let other = url.replace("/1?", "/2?");
    assert_eq!(reqwest::get(other).await.unwrap().status(), 403);
    let as_html = format!("{url}&response-content-type=text%2Fhtml");
    assert_eq!(reqwest::get(as_html).await.unwrap().status(), 403);
    assert_eq!(
        world
            .send(Call::to("GET /v1/records/{record_id}/appendices/{appendix_id}").by(Person::B))
            .await
            .status(),
        404
    );
    let partial =
        reqwest::Client::new().get(url).header("range", "bytes=2-6").send().await.unwrap();
    assert_eq!((partial.status().as_u16(), partial.text().await.unwrap().as_str()), (206, "photo"));
    assert_eq!(declaration(PHOTO)["bytes"], PHOTO.len());
}
