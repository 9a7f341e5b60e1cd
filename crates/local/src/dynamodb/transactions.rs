//! Transactions that meet. DynamoDB lets nobody wait for an item that is in a transaction: whoever comes is refused, and
//! tries again. And one that is sent again by its token, since its answer was lost, is answered and not made twice.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dynoxide::DynoxideError;
use dynoxide::errors::CancellationReason;
use serde_json::Value;

use super::Failure;

/// So long a token is known.
const KNOWN: Duration = Duration::from_secs(10 * 60);

/// An item, by its table and its key.
pub(super) type Place = (String, String, String);

#[derive(Default)]
pub(super) struct Transactions {
    held: Mutex<Holding>,
    tokens: Mutex<Tokens>,
    hasher: RandomState,
    /// For so many microseconds an item is held beyond what the write itself takes.
    longer_micros: AtomicU64,
}

/// What is in transactions that are being made.
#[derive(Default)]
struct Holding {
    /// By which transaction; and until when, where that is known already.
    places: HashMap<Place, (u64, Option<Instant>)>,
    tokens: HashSet<String>,
    transactions: u64,
}

impl Holding {
    fn has(&self, place: &Place) -> bool {
        let until = self.places.get(place);
        until.is_some_and(|(_, until)| until.is_none_or(|until| Instant::now() < until))
    }
}

/// The items of a transaction that is being made. They are free again when this is dropped.
pub(super) struct Held<'a> {
    of: &'a Transactions,
    number: u64,
    places: Vec<Place>,
    token: Option<String>,
}

impl Held<'_> {
    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// Frees the items one after the other.
    pub(super) fn free(&self, times: &[(Place, Instant)]) {
        let mut held = self.of.held();
        for (place, until) in times {
            held.places.insert(place.clone(), (self.number, Some(*until)));
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut held = self.of.held();
        for place in &self.places {
            // One that was free before may be another transaction's by now.
            if held.places.get(place).is_some_and(|(number, _)| *number == self.number) {
                held.places.remove(place);
            }
        }
        if let Some(token) = &self.token {
            held.tokens.remove(token);
        }
    }
}

/// What is known of a transaction's token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    First,
    /// It has been made.
    Again,
}

/// Tokens of transactions that were made, with what each was about, oldest first.
#[derive(Default)]
struct Tokens {
    known: HashMap<String, u64>,
    order: VecDeque<(Instant, String)>,
}

impl Transactions {
    /// Each transaction holds its items that much longer, as over a network.
    pub(super) fn prolong(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.longer_micros.store(micros, Ordering::Relaxed);
    }

    /// How long a transaction holds its items beyond what the write itself takes.
    pub(super) fn longer(&self) -> Option<Duration> {
        let micros = self.longer_micros.load(Ordering::Relaxed);
        (micros > 0).then(|| Duration::from_micros(micros))
    }

    /// Holds the items of a transaction; or refuses it, where another one holds some of them.
    pub(super) fn hold(&self, request: &Value, token: Option<&str>) -> Result<Held<'_>, Failure> {
        let writes = request["TransactItems"].as_array().map(Vec::as_slice).unwrap_or_default();
        let places: Vec<Option<Place>> = writes.iter().map(place_of_action).collect();
        let mut held = self.held();
        if token.is_some_and(|it| held.tokens.contains(it)) {
            let what = "The transaction is being made".to_owned();
            return Err(Failure::Refused("TransactionInProgressException", what));
        }
        let meets = |place: &Option<Place>| place.as_ref().is_some_and(|it| held.has(it));
        // Once: an item may be free the moment after.
        let meeting: Vec<bool> = places.iter().map(meets).collect();
        if meeting.contains(&true) {
            return Err(cancelled(&meeting).into());
        }
        let places: Vec<Place> = places.into_iter().flatten().collect();
        held.transactions += 1;
        let number = held.transactions;
        held.places.extend(places.iter().map(|place| (place.clone(), (number, None))));
        held.tokens.extend(token.map(str::to_owned));
        Ok(Held { of: self, number, places, token: token.map(str::to_owned) })
    }

    /// Refuses a single write of an item that is in a transaction.
    pub(super) fn admit(&self, request: &Value) -> Result<(), Failure> {
        let is_held = place_of(request).is_some_and(|place| self.held().has(&place));
        if !is_held {
            return Ok(());
        }
        let what = "Transaction is ongoing for the item".to_owned();
        Err(Failure::Refused("TransactionConflictException", what))
    }

    /// Takes those writes out of a batch whose items are in a transaction: they are answered as not processed.
    pub(super) fn take_held(&self, batch: &mut Value) -> Value {
        let held = self.held();
        let mut taken = serde_json::Map::new();
        for (table, writes) in batch["RequestItems"].as_object_mut().into_iter().flatten() {
            let Some(writes) = writes.as_array_mut() else { continue };
            let is_held = |write: &Value| {
                let key = [&write["PutRequest"]["Item"], &write["DeleteRequest"]["Key"]];
                key.into_iter().find_map(|key| place(table, key)).is_some_and(|it| held.has(&it))
            };
            let (kept, left): (Vec<Value>, Vec<Value>) =
                std::mem::take(writes).into_iter().partition(|write| !is_held(write));
            *writes = kept;
            if !left.is_empty() {
                taken.insert(table.clone(), Value::Array(left));
            }
        }
        Value::Object(taken)
    }

    /// Whether a transaction was made before, by the token that the SDK sends with each try.
    pub(super) fn sent(&self, token: Option<&str>, body: &[u8]) -> Result<Sent, Failure> {
        let Some(token) = token else { return Ok(Sent::First) };
        match self.tokens().known.get(token) {
            None => Ok(Sent::First),
            Some(digest) if *digest == self.hasher.hash_one(body) => Ok(Sent::Again),
            Some(_) => Err(DynoxideError::IdempotentParameterMismatchException(
                "The token was used with another transaction".to_owned(),
            )
            .into()),
        }
    }

    /// Notes that a transaction was made, and forgets those of long ago.
    pub(super) fn note_made(&self, token: Option<&str>, body: &[u8]) {
        let Some(token) = token else { return };
        let (mut tokens, now) = (self.tokens(), Instant::now());
        while tokens.order.front().is_some_and(|(made, _)| now.duration_since(*made) > KNOWN) {
            if let Some((_, token)) = tokens.order.pop_front() {
                tokens.known.remove(&token);
            }
        }
        tokens.known.insert(token.to_owned(), self.hasher.hash_one(body));
        tokens.order.push_back((now, token.to_owned()));
    }

    fn held(&self) -> MutexGuard<'_, Holding> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place_of_action(action: &Value) -> Option<Place> {
    action.as_object()?.values().find_map(place_of)
}

/// The item that a write is about.
fn place_of(write: &Value) -> Option<Place> {
    let table = write["TableName"].as_str()?;
    ["Item", "Key"].iter().find_map(|name| place(table, &write[name]))
}

pub(super) fn place(table: &str, key: &Value) -> Option<Place> {
    let part = |name: &str| key[name]["S"].as_str().map(str::to_owned);
    Some((table.to_owned(), part("pk")?, part("sk").unwrap_or_default()))
}

fn cancelled(meeting: &[bool]) -> DynoxideError {
    let reason = |meets| CancellationReason {
        code: if meets { "TransactionConflict" } else { "None" }.to_owned(),
        message: Some("Transaction is ongoing for the item".to_owned()).filter(|_| meets),
        item: None,
    };
    let reasons: Vec<CancellationReason> = meeting.iter().copied().map(reason).collect();
    let codes: Vec<&str> = reasons.iter().map(|it| it.code.as_str()).collect();
    let what = "Transaction cancelled, please refer cancellation reasons for specific reasons";
    DynoxideError::TransactionCanceledException(format!("{what} [{}]", codes.join(", ")), reasons)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn put(sort: &str) -> Value {
        json!({ "Put": { "TableName": "t", "Item": { "pk": {"S": "A"}, "sk": {"S": sort} } } })
    }

    fn transaction(sorts: &[&str]) -> Value {
        json!({ "TransactItems": sorts.iter().map(|sort| put(sort)).collect::<Vec<_>>() })
    }

    #[test]
    fn two_that_meet_do_not_wait() {
        let transactions = Transactions::default();
        let first = transactions.hold(&transaction(&["a", "b"]), Some("x"));
        assert!(first.is_ok());
        let Err(Failure::Database(refused)) = transactions.hold(&transaction(&["c", "b"]), None)
        else {
            panic!("it meets the first")
        };
        let codes = r#""CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict""#;
        assert!(refused.to_json().contains(codes), "{}", refused.to_json());
        let again = transactions.hold(&transaction(&["a", "b"]), Some("x"));
        assert!(matches!(again, Err(Failure::Refused("TransactionInProgressException", _))));
        // What was refused holds nothing.
        assert!(transactions.hold(&transaction(&["c"]), None).is_ok());
        assert!(transactions.admit(&put("a")["Put"]).is_err());
        assert!(transactions.admit(&put("c")["Put"]).is_ok());
        let first = first.unwrap_or_else(|_| panic!("it is the first"));
        first.free(&[(place_of(&put("b")["Put"]).unwrap(), Instant::now())]);
        let second = transactions.hold(&transaction(&["b"]), None);
        drop(first);
        assert!(transactions.admit(&put("a")["Put"]).is_ok());
        assert!(transactions.admit(&put("b")["Put"]).is_err(), "it is the second one's");
        drop(second);
        assert!(transactions.hold(&transaction(&["b"]), Some("x")).is_ok());
    }

    #[test]
    fn a_batch_goes_on_without_what_is_held() {
        let transactions = Transactions::default();
        let _held = transactions.hold(&transaction(&["a"]), None);
        let write = |sort: &str| json!({ "PutRequest": { "Item": put(sort)["Put"]["Item"] } });
        let mut batch = json!({ "RequestItems": { "t": [write("a"), write("b")] } });
        assert_eq!(transactions.take_held(&mut batch), json!({ "t": [write("a")] }));
        assert_eq!(batch, json!({ "RequestItems": { "t": [write("b")] } }));
    }

    #[test]
    fn a_token_stands_for_one_transaction() {
        let transactions = Transactions::default();
        assert_eq!(transactions.sent(Some("x"), b"one").unwrap(), Sent::First);
        transactions.note_made(Some("x"), b"one");
        assert_eq!(transactions.sent(Some("x"), b"one").unwrap(), Sent::Again);
        assert!(transactions.sent(Some("x"), b"two").is_err());
        assert_eq!(transactions.sent(None, b"one").unwrap(), Sent::First);
    }
}
