//! The bytes of appendices around a restore: what was sent across the second, what the restore sets aside, and
//! what the disk has lost.

use std::path::PathBuf;
use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};

use crate::restore::{log_in, order, restore, switch, upload, whole_second};
use testing::operator;
use testing::world::{Call, PHOTO, SHARPER_PHOTO, World};

const ADD: &str = "POST /v1/records/{record_id}/appendices/{appendix_id}/versions";
const GET: &str = "GET /v1/records/{record_id}/appendices/{appendix_id}";

/// Reserves a second version of the photo.
async fn reserve(world: &World) -> Value {
    let reserved = world.send(Call::to(ADD).later(runtime::now())).await;
    assert_eq!(reserved.status(), 201, "{reserved:?}");
    reserved.body()["upload"].clone()
}

/// What a version of the photo is answered with: the bytes, or the status.
async fn bytes(world: &World, token: &str, version: Option<u32>) -> Result<Vec<u8>, u64> {
    let mut get = Call::to(GET).later(runtime::now()).header("authorization", token);
    if let Some(version) = version {
        get = get.query(&format!("version={version}"));
    }
    let link = world.send(get).await;
    let Some(url) = link.body()["download"]["url"].as_str().map(str::to_owned) else {
        return Err(link.status());
    };
    let answer = reqwest::get(url).await.unwrap();
    if answer.status() != 200 {
        return Err(answer.status().as_u16().into());
    }
    Ok(answer.bytes().await.unwrap().to_vec())
}

/// A world with a photo, and between two seconds a sharper version of it.
async fn photo_between_two_seconds() -> (World, Timestamp, Timestamp) {
    let world = World::with_record().await;
    world.upload_photo().await;
    let early = whole_second().await;
    let link = reserve(&world).await;
    upload(&link, SHARPER_PHOTO).await;
    world.cloud.settle().await;
    let late = whole_second().await;
    (world, early, late)
}

/// Restores to a second, and switches to what was restored.
async fn restore_and_switch(world: World, to: Timestamp) -> (World, Value) {
    let outcome = restore(&world, &order(to)).await;
    let world = switch(world, &outcome).await;
    let outcome = restore(&world, &order(to)).await;
    assert_eq!(outcome["state"], "done", "{outcome}");
    (world, outcome)
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_were_noted_after_the_second_are_noted_by_the_restore() {
    let world = World::with_record().await;
    world.upload_photo().await;
    let link = reserve(&world).await;
    let to = whole_second().await;
    upload(&link, SHARPER_PHOTO).await;
    world.cloud.settle().await;
    let (world, outcome) = restore_and_switch(world, to).await;
    assert_eq!(outcome["restore"]["set_aside"], 0);
    let token = log_in(&world).await;
    assert_eq!(bytes(&world, &token, Some(2)).await.unwrap(), SHARPER_PHOTO);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_set_aside_comes_back_when_the_switch_is_taken_back() {
    let (world, early, late) = photo_between_two_seconds().await;
    let (world, outcome) = restore_and_switch(world, early).await;
    assert_eq!(outcome["restore"]["set_aside"], 1, "{outcome}");
    // Back to the tables of before: the newest version is hidden.
    let world = world.restarted(&[("RestoredAs", "")]).await;
    let mut back = order(early);
    back["abandon"] = json!(true);
    let outcome = restore(&world, &back).await;
    assert_eq!(outcome["state"], "abandoned", "{outcome}");
    assert_eq!(outcome["restore"]["dangling"]["count"], 0, "{outcome}");
    let login = Call::to("POST /v1/sessions").later(runtime::now());
    let login = world.send(login.header("idempotency-key", "back")).await.body();
    let token = format!("Bearer {}", login["token"].as_str().unwrap());
    assert_eq!(bytes(&world, &token, None).await.unwrap(), SHARPER_PHOTO);
    // And restored again, to a second that was not too early.
    let (world, outcome) = restore_and_switch(world, late).await;
    assert_eq!(outcome["restore"]["set_aside"], 0, "{outcome}");
    let token = log_in(&world).await;
    assert_eq!(bytes(&world, &token, Some(2)).await.unwrap(), SHARPER_PHOTO);
    assert_eq!(bytes(&world, &token, Some(1)).await.unwrap(), PHOTO);
}

/// Without being told that it was taken back: what is hidden is found in the bucket all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_restore_finds_what_the_first_has_set_aside() {
    let (world, early, late) = photo_between_two_seconds().await;
    let (world, _) = restore_and_switch(world, early).await;
    let world = world.restarted(&[("RestoredAs", "")]).await;
    let (world, outcome) = restore_and_switch(world, late).await;
    assert_eq!(outcome["restore"]["dangling"]["count"], 0, "{outcome}");
    let token = log_in(&world).await;
    assert_eq!(bytes(&world, &token, Some(2)).await.unwrap(), SHARPER_PHOTO);
}

/// The file of the photo.
fn photo(world: &World) -> PathBuf {
    let files = std::fs::read_dir(world.folder().join("objects")).unwrap();
    let mut files = files.map(|it| it.unwrap().path());
    files.find(|it| std::fs::read(it).unwrap() == PHOTO).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_the_disk_has_damaged_come_back_from_the_newest_backup() {
    let turned: Vec<u8> = PHOTO.iter().map(|byte| byte ^ 1).collect();
    for damaged in [Some(&turned[..]), Some(&PHOTO[..5]), Some(&[]), None] {
        let world = World::with_record().await;
        world.upload_photo().await;
        world.cloud.run_evening(|_| {}).await.unwrap();
        let to = whole_second().await;
        let file = photo(&world);
        // The backup has the same file under another name: this one alone is damaged.
        std::fs::remove_file(&file).unwrap();
        if let Some(bytes) = damaged {
            std::fs::write(&file, bytes).unwrap();
        }
        let (world, outcome) = restore_and_switch(world, to).await;
        assert_eq!(outcome["restore"]["dangling"]["count"], 0, "{damaged:?}: {outcome}");
        assert!(outcome["restore"]["bucket_copy"].is_array(), "{damaged:?}: {outcome}");
        let token = log_in(&world).await;
        assert_eq!(bytes(&world, &token, None).await.unwrap(), PHOTO, "{damaged:?}");
    }
}

/// Damaged where it is, it is damaged in every backup of it, too: it is named, and nobody goes on unasked.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_damaged_everywhere_are_named() {
    let world = World::with_record().await;
    world.upload_photo().await;
    world.cloud.run_evening(|_| {}).await.unwrap();
    let to = whole_second().await;
    std::fs::write(photo(&world), b"a photo of a crock").unwrap();
    let outcome = restore(&world, &order(to)).await;
    assert_eq!(outcome["state"], "erased", "{outcome}");
    assert_eq!(outcome["restore"]["dangling"]["count"], 1, "{outcome}");
    let named = outcome["restore"]["dangling"]["named"][0].as_str().unwrap().to_owned();
    let kept = operator::evidence_keys(&world.cloud, "restores/").await;
    let (_, all) = operator::manifest(&world.cloud, kept.last().unwrap()).await;
    assert_eq!(serde_json::from_slice::<Value>(&all).unwrap(), json!([named]));
    // The night tells of it, too.
    let evening = world.cloud.run_evening(|_| {}).await.unwrap();
    let refuted = evening.verdicts.iter().filter(|(_, verdict)| verdict != "SUCCESSFUL");
    assert_eq!(refuted.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["appendicesbucket"]);
}

/// What the recovery log has lost, no manifest has to have known.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_recovery_log_has_lost_is_found_before_the_switch() {
    let first = format!("REVISION#RECORD#{}#0000000001", testing::world::record_id());
    for (lost, cause) in [(&first[..], "gap"), ("RECORD#", "missing")] {
        // Longer ago than a request may be under way.
        let world = World::at(runtime::now().before(Duration::from_secs(400))).await;
        world.fill().await;
        assert_eq!(world.ask("PUT /v1/records/{record_id}").await.status(), 200);
        let to = whole_second().await;
        let database = rusqlite::Connection::open(world.folder().join("dynamodb.sqlite")).unwrap();
        let forget = "DELETE FROM am_history WHERE tbl = 'am-local-RecordsTable' AND sk LIKE ?1";
        let like = if lost == first { format!("S:{lost}") } else { format!("%{lost}%") };
        assert!(database.execute(forget, [like]).unwrap() > 0);
        let outcome = restore(&world, &order(to)).await;
        assert_ne!(outcome["state"], "ready", "{lost}: {outcome}");
        let counts = &outcome["restore"]["findings"]["counts"];
        assert!(counts[cause].as_u64().is_some(), "{lost}: {outcome}");
    }
}

/// Reserved between two seconds, sent after the later one: a restore to the earlier one sets it aside.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_were_set_aside_before_they_were_noted_come_back() {
    let world = World::with_record().await;
    world.upload_photo().await;
    let early = whole_second().await;
    let link = reserve(&world).await;
    let late = whole_second().await;
    upload(&link, SHARPER_PHOTO).await;
    world.cloud.settle().await;
    let (world, outcome) = restore_and_switch(world, early).await;
    assert_eq!(outcome["restore"]["set_aside"], 1, "{outcome}");
    let world = world.restarted(&[("RestoredAs", "")]).await;
    let (world, _) = restore_and_switch(world, late).await;
    let token = log_in(&world).await;
    assert_eq!(bytes(&world, &token, Some(2)).await.unwrap(), SHARPER_PHOTO);
}
