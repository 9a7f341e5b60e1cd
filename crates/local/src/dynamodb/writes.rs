//! Writes: what dynoxide makes of them, with what it leaves out: transactions that meet (`transactions`), and a batch that
//! is written to the disk once, not once for each of its items.

use serde_json::{Value, json};

use super::transactions::{Place, Sent};
use super::{Failure, Tables, run_again};

/// A transaction takes twice the units of the same writes in a batch.
const UNITS_OF_A_TRANSACTION: f64 = 2.0;

/// Makes a transaction, unless it meets another one or was made before.
pub(super) async fn transaction(
    tables: &Tables,
    request: &Value,
    body: &[u8],
) -> Result<String, Failure> {
    let token = request["ClientRequestToken"].as_str();
    let held = tables.transactions.hold(request, token)?;
    if tables.transactions.sent(token, body)? == Sent::Again {
        return Ok("{}".to_owned());
    }
    let make = || -> Result<String, Failure> {
        let made = run_again(tables, "TransactWriteItems", request, body)?;
        tables.transactions.note_made(token, body);
        Ok(made)
    };
    // Half of the time before it is made, and half of it while others see it item by item.
    let Some(half) = tables.transactions.longer().map(|longer| longer / 2) else { return make() };
    tokio::time::sleep(half).await;
    let before = held.places().iter().map(|place| Ok((place.clone(), item(tables, place)?)));
    let tearing = tables.torn.tear(before.collect::<Result<_, Failure>>()?);
    let made = make()?;
    held.free(&tearing.show_within(half));
    tokio::time::sleep(half).await;
    Ok(made)
}

/// The item at a place.
fn item(tables: &Tables, (table, partition, sort): &Place) -> Result<Option<Value>, Failure> {
    let key = json!({ "pk": { "S": partition }, "sk": { "S": sort } });
    let request = json!({ "TableName": table, "Key": key, "ConsistentRead": true });
    let answer = run_again(tables, "GetItem", &request, request.to_string().as_bytes())?;
    let mut answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    Ok(answer.get_mut("Item").map(Value::take))
}

/// Writes one item.
pub(super) fn single(
    tables: &Tables,
    operation: &str,
    request: &Value,
    body: &[u8],
) -> Result<String, Failure> {
    tables.transactions.admit(request)?;
    Ok(run_again(tables, operation, request, body)?)
}

/// Writes the items of a batch but for those that are in a transaction.
pub(super) fn batch(tables: &Tables, mut request: Value) -> Result<String, Failure> {
    let left = tables.transactions.take_held(&mut request);
    let tables_of = request["RequestItems"].as_object().into_iter().flatten();
    let writes = tables_of.flat_map(|(table, writes)| {
        let writes = writes.as_array().map(Vec::as_slice).unwrap_or_default();
        writes.iter().map(move |write| as_action(table, write))
    });
    let writes: Vec<Value> = writes.collect();
    if writes.is_empty() {
        return Ok(json!({ "UnprocessedItems": left }).to_string());
    }
    let mut all = json!({ "TransactItems": writes });
    all["ReturnConsumedCapacity"] = request["ReturnConsumedCapacity"].clone();
    // What is wrong with an item is better said as of a batch.
    let answer = match run_again(tables, "TransactWriteItems", &all, all.to_string().as_bytes()) {
        Ok(answer) => answer,
        Err(_) => {
            let body = request.to_string();
            run_again(tables, "BatchWriteItem", &request, body.as_bytes())?
        }
    };
    let mut answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    answer["UnprocessedItems"] = left;
    for table in answer["ConsumedCapacity"].as_array_mut().into_iter().flatten() {
        let units = table["CapacityUnits"].as_f64().unwrap_or(0.0);
        table["CapacityUnits"] = json!(units / UNITS_OF_A_TRANSACTION);
    }
    Ok(answer.to_string())
}

fn as_action(table: &str, write: &Value) -> Value {
    let item = &write["PutRequest"]["Item"];
    if item.is_null() {
        json!({ "Delete": { "TableName": table, "Key": write["DeleteRequest"]["Key"] } })
    } else {
        json!({ "Put": { "TableName": table, "Item": item } })
    }
}
