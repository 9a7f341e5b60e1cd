//! What somebody could do who may write to the tables, and knows how digests are made.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Revision, Timestamp};
use local::Cloud;

use crate::operator;

pub type Item = HashMap<String, AttributeValue>;

pub fn text(item: &Item, name: &str) -> String {
    item[name].as_s().unwrap().clone()
}

pub fn set_text(item: &mut Item, name: &str, value: &str) {
    item.insert(name.to_owned(), AttributeValue::S(value.to_owned()));
}

pub fn set_texts(item: &mut Item, name: &str, values: Vec<String>) {
    item.insert(name.to_owned(), AttributeValue::Ss(values));
}

pub fn set_number(item: &mut Item, name: &str, value: i64) {
    item.insert(name.to_owned(), AttributeValue::N(value.to_string()));
}

fn number(item: &Item, name: &str) -> i64 {
    item[name].as_n().unwrap().parse().unwrap()
}

/// Gives a thing or a revision the digest that belongs to what it now has.
pub fn redigest(item: &mut Item) {
    let mut revision = Revision::first(
        (),
        text(item, "created_by").parse().unwrap(),
        Timestamp::from_millis(number(item, "created_at_ms")),
    );
    revision.version = u64::try_from(number(item, "version")).unwrap().try_into().unwrap();
    revision.changed_at = Timestamp::from_millis(number(item, "changed_at_ms"));
    revision.changed_by = text(item, "changed_by").parse().unwrap();
    revision.deleted = item.contains_key("deleted");
    let sort = text(item, "sk");
    let thing = match sort.strip_prefix("REVISION#") {
        Some(rest) => rest.rsplit_once('#').unwrap().0.to_owned(),
        None => sort,
    };
    let key = format!("{}/{thing}", text(item, "pk"));
    let digest = revision.digest(&key, &text(item, "content")).to_string();
    set_text(item, "digest", &digest);
}

/// Changes what is at a key, and makes its digest anew.
pub async fn rewrite(cloud: &Cloud, table: &str, key: (&str, &str), change: impl Fn(&mut Item)) {
    let mut item = operator::item(cloud, table, key).await;
    change(&mut item);
    redigest(&mut item);
    operator::put_item(cloud, table, item).await;
}
