//! The stores as an operator sees them, past every rule of the service.

use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::AttributeValue;
use local::Cloud;
use runtime::HttpClient;

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
    let table = variable(cloud, "RECORDS_TABLE");
    let client = dynamo(cloud);
    let found = client
        .query()
        .table_name(&table)
        .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
        .expression_attribute_values(":pk", AttributeValue::S(customer.to_owned()))
        .expression_attribute_values(":sk", AttributeValue::S("REVISION#RECORD".to_owned()))
        .send()
        .await
        .unwrap();
    let mut item = found.items()[0].clone();
    let key = format!("{customer}/{}", item["sk"].as_s().unwrap());
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
