//! Finding records at the edges: long texts, far days, many records of one word, questions that make no sense.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::find::{find, index, lose};
use testing::world::{Call, World};

#[tokio::test]
async fn a_long_text_is_found_and_its_words_go_when_it_does() {
    let world = World::new().await;
    let text: String = (0..400).map(|n| format!("word{n:03}x ")).collect();
    let make = Call::to("POST /v1/records");
    let made = world
        .send(make.body(json!({ "type": "idea", "title": "long", "fields": { "t": text } })))
        .await;
    let id = made.body()["id"].as_str().unwrap().to_owned();
    let found = vec![id.clone()];
    assert_eq!(find(&world, "words=word399x").await, found, "at once");
    let change = Call::to("PATCH /v1/records/{record_id}").path("record_id", &id);
    let change = change.body(json!({ "fields": { "t": "word000x" } }));
    assert_eq!(world.send(change).await.status(), 200);
    assert_eq!(find(&world, "words=word399x").await, Vec::<String>::new());
    let of_words = async || {
        let items = testing::operator::items(&world.cloud, "INDEX_TABLE").await;
        let starts = |prefix: &'static str| {
            items.iter().filter(|it| it["sk"].as_s().unwrap().starts_with(prefix)).count()
        };
        (starts("WORD#"), starts("UNINDEXED#"))
    };
    // What is gone is left to the sweep, which lets what is young alone.
    assert!(of_words().await.0 > 400);
    assert_eq!(of_words().await.1, 1);
    let swept = world.operator.sweep_words(world.now.after(Duration::from_secs(60))).await.unwrap();
    assert_eq!(swept, 1);
    // "long": lon; "word000x": wor, word, word0, word00; "word", "000": wor, 000.
    assert_eq!(of_words().await, (6, 0));
    assert_eq!(find(&world, "words=word000x").await, found);
}

#[tokio::test]
async fn days_that_are_far_away_are_found_where_they_belong() {
    let world = World::new().await;
    let days = ["1000-01-01", "1969-12-31", "2026-12-24", "2286-11-21", "2300-01-01", "9999-12-31"];
    for (n, day) in days.iter().enumerate() {
        let call = Call::to("POST /v1/records").header("idempotency-key", &format!("due-{n}"));
        let body = json!({ "type": "idea", "title": day, "due": day });
        assert_eq!(world.send(call.body(body)).await.status(), 201);
    }
    for (n, day) in days.iter().enumerate() {
        let found = find(&world, &format!("due_before={day}")).await;
        assert_eq!(found.len(), n, "before {day}");
    }
    assert_eq!(find(&world, "order=due").await.len(), days.len());
}

/// More than are read at once of a word's records, in an index that is made while they change.
#[tokio::test(flavor = "multi_thread")]
async fn many_records_of_a_word_are_found_page_by_page_and_an_index_is_made_while_they_change() {
    const MANY: usize = 450;
    let world = World::with_record().await;
    let template = testing::operator::items(&world.cloud, "RECORDS_TABLE").await;
    let is_record =
        |it: &&testing::forge::Item| it["sk"].as_s().is_ok_and(|sk| sk.starts_with("RECORD#"));
    let template = template.iter().find(is_record).unwrap().clone();
    let mut expected = BTreeMap::new();
    for n in 0..MANY {
        let mut item = template.clone();
        let id = format!("01KEZ{n:05}RECRDCCCCCCCCCCC");
        let rare = if n % 50 == 7 { "bearing" } else { "seal" };
        let content = json!({
            "type": "job", "title": format!("Pump {rare} nr{n}"), "due": "2026-06-01", "open": true,
        });
        testing::forge::set_text(&mut item, "sk", &format!("RECORD#{id}"));
        testing::forge::set_text(&mut item, "content", &content.to_string());
        testing::operator::put_item(&world.cloud, "RECORDS_TABLE", item).await;
        expected.insert(id, rare);
    }
    let changes = async {
        for n in (0..MANY).step_by(9) {
            let id = format!("01KEZ{n:05}RECRDCCCCCCCCCCC");
            let call = Call::to("PATCH /v1/records/{record_id}").path("record_id", &id);
            let later = world.now.after(Duration::from_millis(n as u64));
            let changed =
                world.send(call.body(json!({ "title": "Pump valve" })).later(later)).await;
            assert_eq!(changed.status(), 200, "{changed:?}");
        }
    };
    let build = world.cloud.invoke("build-index", json!({}));
    let (built, ()) = tokio::join!(build, changes);
    built.unwrap();
    (0..MANY).step_by(9).for_each(|n| {
        expected.insert(format!("01KEZ{n:05}RECRDCCCCCCCCCCC"), "valve");
    });
    world.operator.sweep_words(world.now.after(Duration::from_secs(60))).await.unwrap();
    for (query, word) in [
        ("pump", ""),
        ("pump%20bearing", "bearing"),
        ("bearing%20pum", "bearing"),
        ("valve%20pump", "valve"),
    ] {
        let mut ids: Vec<&String> = expected
            .iter()
            .filter(|(_, it)| word.is_empty() || **it == word)
            .map(|(id, _)| id)
            .collect();
        assert_eq!(
            find(&world, &format!("limit=7&direction=ascending&words={query}")).await,
            ids.iter().map(|it| (*it).clone()).collect::<Vec<_>>(),
            "{query}"
        );
        ids.reverse();
        assert_eq!(
            find(&world, &format!("limit=7&words={query}")).await,
            ids.into_iter().cloned().collect::<Vec<_>>(),
            "{query}"
        );
    }
    assert_eq!(
        find(&world, "limit=50&due_before=2026-06-02").await.len(),
        MANY,
        "each is there, once"
    );
    // As if it had been made when nobody writes.
    let made = index(&world).await;
    lose(&world, "INDEX_TABLE", |_| true).await;
    world.cloud.invoke("build-index", json!({})).await.unwrap();
    assert_eq!(index(&world).await, made);
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused_by_its_name() {
    let world = World::new().await;
    for (query, field) in [
        ("state=done", "?state"),
        ("state=No%20State&type=deviation", "?state"),
        ("type=No%20Type", "?type"),
        ("assignee=eva", "?assignee"),
        ("about=x", "?about"),
        ("due_before=tomorrow", "?due_before"),
        ("changed_since=yesterday", "?changed_since"),
        ("order=title", "?order"),
        ("order=changed&words=pump", "?order"),
        ("direction=up", "?direction"),
        ("words=", "?words"),
        ("words=--", "?words"),
        ("type=deviation&type=idea", "?type"),
        ("order=changed&cursor=AAAA", "?cursor"),
        // A place before all, and one from before what is asked for.
        ("order=changed&cursor=LTUuMDFLRVowMDAwMFJFQ1JEQUFBQUFBQUFBQUE", "?cursor"),
        (
            "changed_since=2026-01-15T08:00:00Z&cursor=NS4wMUtFWjAwMDAwUkVDUkRBQUFBQUFBQUFBQQ",
            "?cursor",
        ),
        ("words=a%20b%20c%20d%20e%20f%20g%20h%20i%20j%20k", "?words"),
    ] {
        let answer = world.send(Call::to("GET /v1/records").query(query)).await;
        assert_eq!(answer.problem(), (422, "invalid_field".into(), field.into()), "{query}");
    }
    let long = format!("words={}", "a".repeat(201));
    let answer = world.send(Call::to("GET /v1/records").query(&long)).await;
    assert_eq!(answer.problem(), (422, "invalid_field".into(), "?words".into()));
}
