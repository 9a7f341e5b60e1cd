//! Tables with many records, as the service writes them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use domain::{Revision, Timestamp, UserId};
use serde_json::json;

use crate::Failed;

type Item = HashMap<String, AttributeValue>;

/// A client of the local DynamoDB, by the variables of a function.
pub fn dynamo(lookup: &dyn Fn(&str) -> Option<String>) -> Result<aws_sdk_dynamodb::Client, Failed> {
    use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
    let name = |name: &str| lookup(name).ok_or_else(|| format!("{name} is not set"));
    let (key, secret) = (name("AWS_ACCESS_KEY_ID")?, name("AWS_SECRET_ACCESS_KEY")?);
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new(key, secret, None, None, "bench"))
        .endpoint_url(name("AWS_ENDPOINT_URL_DYNAMODB")?)
        .http_client(runtime::HttpClient::plain());
    Ok(aws_sdk_dynamodb::Client::from_conf(config.build()))
}

/// A record and its first revision, as the service writes them.
fn pair(customer: u64, record: u64) -> [Item; 2] {
    let id = |kind: &str, n: u64| format!("01KEZ{kind}{n:015}");
    let (customer, user) = (id("00000C", customer), "01KEZ00000PERSNAAAAAAAAAAA");
    let user_id: UserId = user.parse().expect("it is an id");
    let sort = format!("RECORD#{}", id("00000R", record));
    let content = json!({
        "type": "note",
        "title": format!("Crack in a weld, line {}", record % 20),
        "fields": { "line": record % 20, "note": "x".repeat(300) },
    })
    .to_string();
    let at = Timestamp::from_millis(1_768_464_000_000);
    let digest = Revision::first((), user_id, at).digest(&format!("{customer}/{sort}"), &content);
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let number = |value: i64| AttributeValue::N(value.to_string());
    let mut item = Item::from([
        ("pk".to_owned(), text(&customer)),
        ("sk".to_owned(), text(&sort)),
        ("version".to_owned(), number(1)),
        ("created_at_ms".to_owned(), number(at.millis())),
        ("created_by".to_owned(), text(user)),
        ("changed_at_ms".to_owned(), number(at.millis())),
        ("changed_by".to_owned(), text(user)),
        ("content".to_owned(), text(&content)),
        ("digest".to_owned(), text(&digest.to_string())),
    ]);
    let current = item.clone();
    item.insert("sk".to_owned(), text(&format!("REVISION#{sort}#0000000001")));
    [current, item]
}

/// Puts so many items into a table: a record and its revision each.
pub async fn fill(
    dynamo: &aws_sdk_dynamodb::Client,
    table: &str,
    items: u64,
) -> Result<(), Failed> {
    let put = |item| {
        let put = PutRequest::builder().set_item(Some(item)).build().expect("an item is set");
        WriteRequest::builder().put_request(put).build()
    };
    let mut batch = Vec::new();
    for record in 0..items / 2 {
        // A thousand records a customer.
        batch.extend(pair(record / 1000, record).map(put));
        if batch.len() == 24 || record + 1 == items / 2 {
            let write = dynamo.batch_write_item();
            write.request_items(table, std::mem::take(&mut batch)).send().await?;
        }
        if record % 50_000 == 0 {
            eprintln!("backups: {} of {items} items", record * 2);
        }
    }
    Ok(())
}
