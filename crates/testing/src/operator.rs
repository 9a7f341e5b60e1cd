//! The stores as an operator sees them, past every rule of the service.

use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{CustomerId, Digest, Revision};
use local::Cloud;
use passwords::StoredHash;
use runtime::HttpClient;
use store::UserProfile;

fn variable(cloud: &Cloud, name: &str) -> String {
    cloud.operator_environment()[name].clone()
}

fn credentials(cloud: &Cloud) -> Credentials {
    let (key, secret) =
        (variable(cloud, "AWS_ACCESS_KEY_ID"), variable(cloud, "AWS_SECRET_ACCESS_KEY"));
    Credentials::new(key, secret, None, None, "test")
}

fn s3(cloud: &Cloud) -> aws_sdk_s3::Client {
    use aws_sdk_s3::config::{BehaviorVersion, Builder, Region};
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(credentials(cloud))
        .endpoint_url(variable(cloud, "AWS_ENDPOINT_URL_S3"))
        .force_path_style(true)
        .http_client(HttpClient::plain());
    aws_sdk_s3::Client::from_conf(config.build())
}

fn dynamo(cloud: &Cloud) -> aws_sdk_dynamodb::Client {
    use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Region};
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(credentials(cloud))
        .endpoint_url(variable(cloud, "AWS_ENDPOINT_URL_DYNAMODB"))
        .http_client(HttpClient::plain());
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// The manifest at `key`: its version and its bytes.
pub async fn manifest(cloud: &Cloud, key: &str) -> (String, Vec<u8>) {
    let bucket = variable(cloud, "EVIDENCE_BUCKET");
    let object = s3(cloud).get_object().bucket(bucket).key(key).send().await.unwrap();
    let version = object.version_id().unwrap().to_owned();
    (version, object.body.collect().await.unwrap().to_vec())
}

/// Gives one attribute of a revision of the customer's another value, or takes it away. The key of
/// the revision.
pub async fn alter_a_revision(
    cloud: &Cloud,
    customer: &str,
    attribute: &str,
    value: Option<&str>,
) -> String {
    alter(cloud, "RECORDS_TABLE", (customer, "REVISION#RECORD"), attribute, value).await
}

/// The same of the first item of a partition whose sort key starts so.
pub async fn alter(
    cloud: &Cloud,
    table: &str,
    (partition, prefix): (&str, &str),
    attribute: &str,
    value: Option<&str>,
) -> String {
    let table = variable(cloud, table);
    let client = dynamo(cloud);
    let found = client
        .query()
        .table_name(&table)
        .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
        .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
        .expression_attribute_values(":sk", AttributeValue::S(prefix.to_owned()))
        .send()
        .await
        .unwrap();
    let mut item = found.items()[0].clone();
    let key = format!("{partition}/{}", item["sk"].as_s().unwrap());
    match (value, item.remove(attribute).unwrap()) {
        (None, _) => {}
        (Some(value), AttributeValue::N(_)) => {
            item.insert(attribute.to_owned(), AttributeValue::N(value.to_owned()));
        }
        (Some(value), _) => {
            item.insert(attribute.to_owned(), AttributeValue::S(value.to_owned()));
        }
    }
    client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    key
}

/// The keys of the bucket of evidence that start so, in their order.
pub async fn evidence_keys(cloud: &Cloud, prefix: &str) -> Vec<String> {
    let bucket = variable(cloud, "EVIDENCE_BUCKET");
    let list = s3(cloud).list_objects_v2().bucket(bucket).prefix(prefix);
    let mut keys = Vec::new();
    // Of two a page, as a bucket of thousands has pages.
    let mut pages = list.max_keys(2).into_paginator().send();
    while let Some(page) = pages.next().await {
        keys.extend(page.unwrap().contents().iter().map(|it| it.key().unwrap().to_owned()));
    }
    assert!(keys.iter().all(|key| key.starts_with(prefix)), "{keys:?}");
    keys
}

/// The documents of the ledger whose keys start so.
pub async fn documents(cloud: &Cloud, partition: &str, prefix: &str) -> Vec<serde_json::Value> {
    let found = dynamo(cloud)
        .query()
        .table_name(variable(cloud, "LEDGER_TABLE"))
        .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
        .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
        .expression_attribute_values(":sk", AttributeValue::S(prefix.to_owned()))
        .send()
        .await
        .unwrap();
    let document = |item: &std::collections::HashMap<String, AttributeValue>| {
        serde_json::from_str(item["document"].as_s().unwrap()).unwrap()
    };
    found.items().iter().map(document).collect()
}

/// Deletes everything in a table, as a fault of ours might. The table itself is protected.
pub async fn empty_table(cloud: &Cloud, name: &str) {
    use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
    let (client, table) = (dynamo(cloud), variable(cloud, name));
    let refused = client.delete_table().table_name(&table).send().await;
    assert!(refused.is_err(), "{table} could be deleted");
    loop {
        let found = client.scan().table_name(&table).limit(25).send().await.unwrap();
        let deletes = found.items().iter().map(|item| {
            let keys = ["pk", "sk"].map(|name| (name.to_owned(), item[name].clone()));
            let delete = DeleteRequest::builder().set_key(Some(keys.into())).build().unwrap();
            WriteRequest::builder().delete_request(delete).build()
        });
        let deletes: Vec<WriteRequest> = deletes.collect();
        if deletes.is_empty() {
            return;
        }
        client.batch_write_item().request_items(&table, deletes).send().await.unwrap();
    }
}

/// Deletes what is at a key of the bucket, as far as anybody can: a marker hides it.
pub async fn hide_object(cloud: &Cloud, key: &str) {
    let bucket = variable(cloud, "APPENDICES_BUCKET");
    s3(cloud).delete_object().bucket(bucket).key(key).send().await.unwrap();
}

/// Puts bytes at a key of the bucket, as nobody may who uploads.
pub async fn put_object(cloud: &Cloud, key: &str, bytes: Vec<u8>) {
    let bucket = variable(cloud, "APPENDICES_BUCKET");
    s3(cloud).put_object().bucket(bucket).key(key).body(bytes.into()).send().await.unwrap();
}

/// Puts a person beside the owner of a customer, with a login, as an earlier release stored them.
pub async fn add_colleague(
    cloud: &Cloud,
    customer: CustomerId,
    user: &Revision<UserProfile>,
    password: &StoredHash,
) {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let number = |value: i64| AttributeValue::N(value.to_string());
    let (id, partition) = (user.created_by.to_string(), customer.to_string());
    let sort = format!("USER#{id}");
    let content = serde_json::to_string(&user.content).unwrap();
    let digest = user.digest(&format!("{partition}/{sort}"), &content).to_string();
    for sort in [sort.clone(), format!("REVISION#{sort}#{:010}", user.version.get())] {
        let item = [
            ("pk", text(&partition)),
            ("sk", text(&sort)),
            ("version", AttributeValue::N(user.version.to_string())),
            ("created_at_ms", number(user.created_at.millis())),
            ("created_by", text(&id)),
            ("changed_at_ms", number(user.changed_at.millis())),
            ("changed_by", text(&id)),
            ("content", text(&content)),
            ("digest", text(&digest)),
        ];
        put(cloud, "ACCOUNTS_TABLE", &item).await;
    }
    let name = user.content.email.as_ref().expect("people had addresses");
    let address = Digest::of(&[name.as_str().as_bytes()]);
    let login = [
        ("pk", text(&format!("LOGIN#{address}"))),
        ("sk", text("LOGIN")),
        ("customer_id", text(&partition)),
        ("user_id", text(&id)),
        ("password_hash", text(password.as_stored())),
    ];
    put(cloud, "LOGINS_TABLE", &login).await;
}

async fn put(cloud: &Cloud, table: &str, item: &[(&str, AttributeValue)]) {
    let item = item.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let put = dynamo(cloud).put_item().table_name(variable(cloud, table)).set_item(Some(item));
    put.send().await.unwrap();
}

/// Every item of a table.
pub async fn items(
    cloud: &Cloud,
    name: &str,
) -> Vec<std::collections::HashMap<String, AttributeValue>> {
    let mut pages =
        dynamo(cloud).scan().table_name(variable(cloud, name)).into_paginator().items().send();
    let mut all = Vec::new();
    while let Some(item) = pages.next().await {
        all.push(item.unwrap());
    }
    all
}

/// Deletes one item.
pub async fn delete_item(cloud: &Cloud, name: &str, partition: &str, sort: &str) {
    let delete = dynamo(cloud).delete_item().table_name(variable(cloud, name));
    let delete = delete.key("pk", AttributeValue::S(partition.to_owned()));
    delete.key("sk", AttributeValue::S(sort.to_owned())).send().await.unwrap();
}

pub async fn item(
    cloud: &Cloud,
    name: &str,
    (partition, sort): (&str, &str),
) -> std::collections::HashMap<String, AttributeValue> {
    let get = dynamo(cloud).get_item().table_name(variable(cloud, name));
    let get = get.key("pk", AttributeValue::S(partition.to_owned()));
    let got = get.key("sk", AttributeValue::S(sort.to_owned())).send().await.unwrap();
    got.item.unwrap_or_else(|| panic!("{partition}/{sort} is not there"))
}

pub async fn put_item(
    cloud: &Cloud,
    name: &str,
    item: std::collections::HashMap<String, AttributeValue>,
) {
    let put = dynamo(cloud).put_item().table_name(variable(cloud, name));
    put.set_item(Some(item)).send().await.unwrap();
}

/// Keeps a document in the evidence in the place of what is there.
pub async fn put_evidence(cloud: &Cloud, key: &str, bytes: Vec<u8>) {
    let bucket = variable(cloud, "EVIDENCE_BUCKET");
    s3(cloud).put_object().bucket(bucket).key(key).body(bytes.into()).send().await.unwrap();
}

pub async fn hide_evidence(cloud: &Cloud, key: &str) {
    let bucket = variable(cloud, "EVIDENCE_BUCKET");
    s3(cloud).delete_object().bucket(bucket).key(key).send().await.unwrap();
}

/// The names of all tables.
pub async fn tables(cloud: &Cloud) -> Vec<String> {
    let listed = dynamo(cloud).list_tables().send().await.unwrap();
    listed.table_names().to_vec()
}

/// Lets a table be deleted.
pub async fn unprotect(cloud: &Cloud, name: &str) {
    let update = dynamo(cloud).update_table().table_name(variable(cloud, name));
    update.deletion_protection_enabled(false).send().await.unwrap();
}

pub async fn delete_table(cloud: &Cloud, name: &str) {
    unprotect(cloud, name).await;
    let table = variable(cloud, name);
    dynamo(cloud).delete_table().table_name(table).send().await.unwrap();
}

pub async fn switch_recovery_off(cloud: &Cloud, name: &str) {
    use aws_sdk_dynamodb::types::PointInTimeRecoverySpecification;
    let off = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(false);
    dynamo(cloud)
        .update_continuous_backups()
        .table_name(variable(cloud, name))
        .point_in_time_recovery_specification(off.build().unwrap())
        .send()
        .await
        .unwrap();
}

/// The bucket, the key and the version of an object.
pub async fn newest_version(cloud: &Cloud, name: &str) -> (String, String, String) {
    let bucket = variable(cloud, name);
    let listed = s3(cloud).list_objects_v2().bucket(&bucket).send().await.unwrap();
    let key = listed.contents()[0].key().unwrap().to_owned();
    let head = s3(cloud).head_object().bucket(&bucket).key(&key).send().await.unwrap();
    (bucket, key, head.version_id().unwrap().to_owned())
}

pub async fn delete_version_is_refused(cloud: &Cloud, of: &(String, String, String)) {
    let (bucket, key, version) = of;
    let delete = s3(cloud).delete_object().bucket(bucket).key(key).version_id(version).send();
    assert!(delete.await.is_err());
    let head = s3(cloud).head_object().bucket(bucket).key(key).version_id(version).send();
    assert!(head.await.is_ok());
}

/// AWS Backup, as an operator speaks to it.
fn aws_backup(cloud: &Cloud) -> aws_sdk_backup::Client {
    use aws_sdk_backup::config::{BehaviorVersion, Builder, Region};
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(credentials(cloud))
        .endpoint_url(variable(cloud, "AWS_ENDPOINT_URL_BACKUP"))
        .http_client(HttpClient::plain());
    aws_sdk_backup::Client::from_conf(config.build())
}

/// Backs a table up on demand and restores it by hand into a new one, whose name it gives.
pub async fn back_up_and_restore(cloud: &Cloud, name: &str, run: usize) -> String {
    use aws_sdk_backup::types::BackupJobState;
    let client = aws_backup(cloud);
    let arn = format!("arn:aws:dynamodb:eu-central-1:000000000000:table/{}", variable(cloud, name));
    let job = client.start_backup_job().backup_vault_name(variable(cloud, "BACKUP_VAULT"));
    let lifecycle = aws_sdk_backup::types::Lifecycle::builder().delete_after_days(7).build();
    let job = job.resource_arn(arn).iam_role_arn(variable(cloud, "BACKUP_ROLE"));
    let job = job.lifecycle(lifecycle).send().await;
    let job = job.unwrap().backup_job_id.unwrap();
    let point = loop {
        let job = client.describe_backup_job().backup_job_id(&job).send().await.unwrap();
        match job.state() {
            Some(BackupJobState::Running) => {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
            state => {
                assert_eq!(state, Some(&BackupJobState::Completed));
                break job.recovery_point_arn.unwrap();
            }
        }
    };
    let copy = format!("am-local-restored-{run}");
    let restore = client.start_restore_job().recovery_point_arn(point);
    let restore = restore.iam_role_arn(variable(cloud, "RESTORE_ROLE"));
    let job = restore.metadata("targetTableName", &copy).send().await.unwrap();
    restored(cloud, &job.restore_job_id.unwrap()).await;
    copy
}

/// What is in a vault, each as its resource and its ARN.
pub async fn recovery_points(cloud: &Cloud, vault: &str) -> Vec<String> {
    let list = aws_backup(cloud).list_recovery_points_by_backup_vault();
    let listed = list.backup_vault_name(variable(cloud, vault)).send().await.unwrap();
    let points = listed.recovery_points().iter();
    points
        .map(|it| format!("{} {}", it.resource_arn().unwrap(), it.recovery_point_arn().unwrap()))
        .collect()
}

/// Waits until a restore job is done.
pub async fn restored(cloud: &Cloud, job: &str) {
    use aws_sdk_backup::types::RestoreJobStatus;
    let client = aws_backup(cloud);
    loop {
        let job = client.describe_restore_job().restore_job_id(job).send().await.unwrap();
        if job.status() != Some(&RestoreJobStatus::Running) {
            assert_eq!(job.status(), Some(&RestoreJobStatus::Completed));
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

pub async fn delete_copy(cloud: &Cloud, table: &str) {
    dynamo(cloud).delete_table().table_name(table).send().await.unwrap();
}

/// What waits for Sentry: keys and envelopes.
pub async fn crashes(cloud: &Cloud) -> Vec<(String, Vec<u8>)> {
    let (client, bucket) = (s3(cloud), variable(cloud, "CRASHES_BUCKET"));
    let listed = client.list_objects_v2().bucket(&bucket).send().await.unwrap();
    let mut crashes = Vec::new();
    for key in listed.contents().iter().filter_map(|object| object.key()) {
        let object = client.get_object().bucket(&bucket).key(key).send().await.unwrap();
        let bytes = object.body.collect().await.unwrap();
        crashes.push((key.to_owned(), bytes.to_vec()));
    }
    crashes
}

/// The document of a row of the ledger, if there is one.
pub async fn ledger_row(cloud: &Cloud, pk: &str, sk: &str) -> Option<serde_json::Value> {
    let table = variable(cloud, "LEDGER_TABLE");
    let get = dynamo(cloud).get_item().table_name(table);
    let get = get.key("pk", AttributeValue::S(pk.to_owned()));
    let found = get.key("sk", AttributeValue::S(sk.to_owned())).send().await.unwrap();
    let document = found.item?["document"].as_s().unwrap().clone();
    Some(serde_json::from_str(&document).unwrap())
}
