//! What others see of a transaction while it is being made: of some of its items what they were, of others what they
//! are. On AWS that takes some milliseconds; here it is seen where transactions are made to last that long.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::transactions::{Place, place};

/// Items of which something else is seen than what they are.
#[derive(Default)]
pub(super) struct Torn {
    masked: Mutex<HashMap<Place, Mask>>,
    tearings: AtomicU64,
}

struct Mask {
    /// By which transaction.
    of: u64,
    was: Option<Value>,
    until: Option<Instant>,
}

/// The items of a transaction that is being made. They are seen as they are when this is dropped.
pub(super) struct Tearing<'a> {
    torn: &'a Torn,
    number: u64,
    places: Vec<Place>,
}

impl Drop for Tearing<'_> {
    fn drop(&mut self) {
        let mut masked = self.torn.masked();
        for place in &self.places {
            if masked.get(place).is_some_and(|mask| mask.of == self.number) {
                masked.remove(place);
            }
        }
    }
}

impl Tearing<'_> {
    /// The transaction is made: each of its items is seen by itself, within this time. When that is.
    pub(super) fn show_within(&self, time: Duration) -> Vec<(Place, Instant)> {
        let (mut masked, now) = (self.torn.masked(), Instant::now());
        let times = self.places.iter().map(|place| {
            let from = now + time.mul_f64(fastrand::f64());
            if let Some(mask) = masked.get_mut(place) {
                mask.until = Some(from);
            }
            (place.clone(), from)
        });
        times.collect()
    }
}

impl Torn {
    /// Shows items as they were, until they are seen as they are.
    pub(super) fn tear(&self, items: Vec<(Place, Option<Value>)>) -> Tearing<'_> {
        let number = self.tearings.fetch_add(1, Ordering::Relaxed);
        let places = items.iter().map(|(place, _)| place.clone()).collect();
        let mask = |was| Mask { of: number, was, until: None };
        self.masked().extend(items.into_iter().map(|(place, was)| (place, mask(was))));
        Tearing { torn: self, number, places }
    }

    /// An answer to a read, as it is seen for now.
    pub(super) fn seen(&self, operation: &str, request: &Value, answer: String) -> String {
        if self.masked().is_empty() {
            return answer;
        }
        let Ok(mut json) = serde_json::from_str::<Value>(&answer) else { return answer };
        let table = request["TableName"].as_str().unwrap_or_default();
        match operation {
            "GetItem" => match place(table, &request["Key"]).and_then(|it| self.was(&it)) {
                Some(Some(item)) => json["Item"] = item,
                Some(None) => json = json!({}),
                None => {}
            },
            "Query" => {
                let items = json["Items"].take();
                json["Items"] = Value::Array(self.all_seen(table, items));
                json["Count"] = json!(json["Items"].as_array().map_or(0, Vec::len));
            }
            "BatchGetItem" => {
                let keys = request["RequestItems"].as_object().into_iter().flatten();
                for (table, wanted) in keys {
                    let found = json["Responses"][table].take();
                    let mut seen = self.all_seen(table, found);
                    // What is new was not found, and what is gone was.
                    for key in wanted["Keys"].as_array().into_iter().flatten() {
                        let is_there =
                            |item: &Value| item["pk"] == key["pk"] && item["sk"] == key["sk"];
                        if !seen.iter().any(is_there)
                            && let Some(Some(item)) = place(table, key).and_then(|it| self.was(&it))
                        {
                            seen.push(item);
                        }
                    }
                    json["Responses"][table] = Value::Array(seen);
                }
            }
            _ => return answer,
        }
        json.to_string()
    }

    fn all_seen(&self, table: &str, items: Value) -> Vec<Value> {
        let Value::Array(items) = items else { return Vec::new() };
        let seen = |item: Value| match place(table, &item).and_then(|it| self.was(&it)) {
            Some(was) => was,
            None => Some(item),
        };
        items.into_iter().filter_map(seen).collect()
    }

    /// What is seen of an item that is not seen as it is.
    fn was(&self, place: &Place) -> Option<Option<Value>> {
        let masked = self.masked();
        let mask = masked.get(place)?;
        mask.until.is_none_or(|until| Instant::now() < until).then(|| mask.was.clone())
    }

    fn masked(&self) -> MutexGuard<'_, HashMap<Place, Mask>> {
        self.masked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_seen_as_it_was_and_then_as_it_is() {
        let torn = Torn::default();
        let item = |sort: &str, n: u32| json!({ "pk": {"S": "A"}, "sk": {"S": sort}, "n": n });
        let at = |sort: &str| place("t", &item(sort, 0)).unwrap();
        let tearing = torn.tear(vec![(at("new"), None), (at("old"), Some(item("old", 1)))]);
        let found =
            json!({ "Items": [item("new", 2), item("old", 2), item("other", 2)], "Count": 3 });
        let query = json!({ "TableName": "t" });
        let seen = |operation: &str, request: &Value, found: &Value| -> Value {
            serde_json::from_str(&torn.seen(operation, request, found.to_string())).unwrap()
        };
        let before = json!({ "Items": [item("old", 1), item("other", 2)], "Count": 2 });
        assert_eq!(seen("Query", &query, &found), before);
        let get = json!({ "TableName": "t", "Key": item("new", 0) });
        assert_eq!(seen("GetItem", &get, &json!({ "Item": item("new", 2) })), json!({}));
        let batch =
            json!({ "RequestItems": { "t": { "Keys": [item("new", 0), item("old", 0)] } } });
        let gone = json!({ "Responses": { "t": [item("new", 2)] } });
        assert_eq!(seen("BatchGetItem", &batch, &gone)["Responses"]["t"], json!([item("old", 1)]));
        tearing.show_within(Duration::ZERO);
        assert_eq!(seen("Query", &query, &found), found);
        drop(tearing);
        assert!(torn.masked().is_empty());
    }
}
