//! The local cloud itself: it keeps what it was given, and refuses what would harm it.

use local::{Cloud, LocalError};

use testing::world::{Call, World, options};

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let world = World::with_record().await;
    world.upload_photo().await;
    let before = world.ask("GET /v1/records/{record_id}").await;
    let world = world.restarted(&[]).await;
    let cloud = &world.cloud;
    let mut event = Call::to("GET /v1/records/{record_id}").json;
    event["requestContext"]["timeEpoch"] = runtime::now().millis().into();
    let after = cloud.invoke("get-record", event).await.unwrap();
    assert_eq!(after, before.0);
    let mut event = Call::to("GET /v1/records/{record_id}/appendices/{appendix_id}").json;
    event["requestContext"]["timeEpoch"] = runtime::now().millis().into();
    let link = cloud.invoke("get-appendix", event).await.unwrap();
    let link: serde_json::Value = serde_json::from_str(link["body"].as_str().unwrap()).unwrap();
    let bytes = reqwest::get(link["download"]["url"].as_str().unwrap()).await.unwrap();
    assert_eq!(bytes.bytes().await.unwrap(), testing::world::PHOTO);
}

#[tokio::test]
async fn two_clouds_cannot_share_a_folder() {
    let world = World::new().await;
    let second = Cloud::start(&options(world.folder())).await;
    assert!(matches!(second, Err(LocalError::InUse(_))));
}

#[tokio::test]
async fn it_listens_on_loopback_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.address = "0.0.0.0:0".parse().unwrap();
    let refused = Cloud::start(&options).await;
    assert!(matches!(refused, Err(LocalError::NotLoopback(_))));
}

#[tokio::test]
async fn an_event_that_does_not_fit_is_an_error_and_not_an_answer() {
    let world = World::new().await;
    let error = world.cloud.invoke("get-record", serde_json::json!({"x": 1})).await.unwrap_err();
    assert!(error.to_string().contains("the event does not fit"), "{error}");
    assert!(world.cloud.invoke("no-such", serde_json::json!({})).await.is_err());
}

#[tokio::test]
async fn a_function_may_do_what_the_template_lets_it_and_no_more() {
    use testing::world::Person;
    let world = World::with_record().await;
    let functions = world.cloud.functions();
    let reader = functions.iter().find(|function| function.binary == "get-record").unwrap();
    let lookup = |name: &str| reader.environment.get(name).cloned();
    let store = runtime::Env::new(&lookup).store().unwrap();
    let session = world.session(Person::A).await;
    let wanted = store::tenant::RecordKey(testing::world::record_id());
    let shown = store::tenant::Shown::Session(Person::A.token());
    let opened = store.open(&shown, world.now, wanted, store::tenant::Nothing).await;
    let record = opened.unwrap().unwrap().0.found.existing().unwrap();
    let tombstone = record.tombstone(session.user, world.now);
    let id = testing::world::record_id();
    let refused = store
        .replace_record(&session, id, &record, &tombstone, None, &store::Readers::default())
        .await;
    assert!(matches!(refused, Err(store::WriteError::Store(_))), "{refused:?}");
    assert!(store.login(&Person::A.email().into()).await.is_err(), "nor read password hashes");
    assert_eq!(world.read_record(Person::A).await.status(), 200);
}

#[tokio::test]
async fn the_database_answers_nobody_who_does_not_sign() {
    let world = World::new().await;
    let url = world.cloud.operator_environment()["AWS_ENDPOINT_URL_DYNAMODB"].clone();
    let scan = |authorization: &'static str| {
        reqwest::Client::new()
            .post(&url)
            .header("x-amz-target", "DynamoDB_20120810.Scan")
            .header("x-amz-date", "20260115T080000Z")
            .header("authorization", authorization)
            .body(r#"{"TableName": "am-local-LoginsTable"}"#)
            .send()
    };
    for authorization in [
        "",
        "AWS4-HMAC-SHA256 Credential=operator/20260115/eu-central-1/dynamodb/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=00",
        "AWS4-HMAC-SHA256 Credential=nobody/20260115/eu-central-1/dynamodb/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=00",
    ] {
        let answer = scan(authorization).await.unwrap();
        assert_eq!(answer.status(), 400);
        assert!(answer.text().await.unwrap().contains("InvalidSignatureException"));
    }
}
