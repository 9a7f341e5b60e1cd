//! What dynoxide leaves out: point-in-time recovery, restores into new tables, and the copies that AWS
//! Backup makes. As on AWS, a restored table lacks what a table can lack: it is not protected, has no
//! recovery of its own, no time to live and no tags.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dynoxide::{Database, DynoxideError, ImportOptions, Item};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Failure;
use super::torn::Torn;
use super::transactions::Transactions;
use crate::LocalError;
use crate::history::{self, DAYS, History, ItemJson, Restoring};
use crate::values::{seconds, text};

/// So many items are written at once, beside what the service writes.
const SOME: usize = 1000;
/// So many are copied at once: what is written between is in the copy or not, as on AWS, where a
/// backup is of one moment up to a second.
const COPIED: usize = 50;

/// The tables of the database, with their past.
pub(crate) struct Tables {
    pub(super) database: Database,
    pub(super) transactions: Transactions,
    pub(super) torn: Torn,
    history: History,
    /// Those that are being filled.
    filling: Mutex<BTreeSet<String>>,
    /// So many scans are refused, as a table does that gives no more for now.
    throttled: AtomicU32,
}

impl Tables {
    pub(super) fn new(database: Database, history: History) -> Self {
        Self {
            database,
            transactions: Transactions::default(),
            torn: Torn::default(),
            history,
            filling: Mutex::default(),
            throttled: AtomicU32::new(0),
        }
    }

    /// Goes on with the restores that a kill has cut off: from their beginning.
    pub(super) fn go_on(self: &Arc<Self>) -> Result<(), LocalError> {
        let failed = |what: String| LocalError::Database { path: "restores".into(), what };
        for it in self.history.restoring().map_err(|error| failed(error.to_string()))? {
            let _ = self.delete(&it.target);
            self.filling().insert(it.target.clone());
            self.create_like(&it.source, &it.target).map_err(|error| failed(error.to_string()))?;
            self.fill_later(it);
        }
        Ok(())
    }

    /// After an answer that could not be given: marks the items of a table that cannot be read. Whether there
    /// were any, so that it can be given now.
    pub(super) fn mark_unreadable(&self, table: &str) -> bool {
        let is_readable = |item: &str| serde_json::from_str::<Item>(item).is_ok();
        match self.history.mark_unreadable(table, is_readable) {
            Ok(keys) => {
                for key in &keys {
                    tracing::error!(table, key, "an item cannot be read: it is no JSON of an item");
                }
                !keys.is_empty()
            }
            Err(error) => {
                tracing::error!(%error, table, "items that cannot be read were not looked for");
                false
            }
        }
    }

    /// By so much the service's time is ahead of the machine's, by which the database logs.
    pub(crate) fn set_ahead(&self, ahead_ms: i64) {
        if let Err(error) = self.history.set_ahead(ahead_ms, runtime::now().millis()) {
            tracing::error!(%error, "the recovery log has another time than the service");
        }
    }

    /// Refuses the next so many scans.
    pub(crate) fn throttle_scans(&self, count: u32) {
        self.throttled.store(count, Ordering::Relaxed);
    }

    /// Transactions last that long from now on, as they do over a network.
    pub(crate) fn prolong_transactions(&self, time: Duration) {
        self.transactions.prolong(time);
    }

    fn is_throttled(&self) -> bool {
        let one_less = |count: u32| count.checked_sub(1);
        self.throttled.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }

    /// Whether a table was made as it is wanted, at an earlier start, and is there.
    pub(super) fn is_made(&self, table: &str, wanted: &str) -> bool {
        let made = self.history.is_made(table, wanted);
        made.unwrap_or(false) && self.time_to_live(table).is_ok()
    }

    pub(super) fn note_made(&self, table: &str, wanted: &str) {
        if let Err(error) = self.history.note_made(table, wanted) {
            tracing::warn!(%error, table, "it will be looked at once more");
        }
    }

    /// The attribute that says when an item of a table expires, where that is on.
    fn time_to_live(&self, table: &str) -> Result<Option<String>, Failure> {
        let request = parse(json!({ "TableName": table }))?;
        let described = as_json(&self.database.describe_time_to_live(request)?)?;
        let described = &described["TimeToLiveDescription"];
        let on = described["TimeToLiveStatus"] == "ENABLED";
        Ok(described["AttributeName"].as_str().filter(|_| on).map(str::to_owned))
    }

    /// Deletes what has expired.
    pub(super) fn expire(&self) {
        let expire = || -> Result<(), Failure> {
            let listed = as_json(&self.database.list_tables(parse(json!({}))?)?)?;
            for table in listed["TableNames"].as_array().into_iter().flatten().map(text) {
                if let Some(attribute) = self.time_to_live(&table)? {
                    self.history.expire(&table, &attribute, runtime::now().seconds())?;
                }
            }
            Ok(())
        };
        if let Err(error) = expire() {
            tracing::warn!(%error, "expired items were not deleted");
        }
    }

    pub(super) fn trim(&self) {
        if let Err(error) = self.history.trim(runtime::now().millis()) {
            tracing::warn!(%error, "what is too old was not forgotten");
        }
    }

    /// The answer to an operation that is ours; `None`: it is the database's.
    pub(super) fn answer(
        self: &Arc<Self>,
        operation: &str,
        request: &Value,
    ) -> Option<Result<String, Failure>> {
        let table = text(&request["TableName"]);
        let answered = match operation {
            "DescribeContinuousBackups" => self.recovery(&table),
            "UpdateContinuousBackups" => {
                let on = &request["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
                self.set_recovery(&table, on.as_bool().unwrap_or(false))
            }
            "RestoreTableToPointInTime" => self.restore(request),
            "DescribeTable" => self.describe(&table),
            "Scan" if self.is_throttled() => Err(Failure::Refused(
                "ProvisionedThroughputExceededException",
                "The table gives no more for now.".to_owned(),
            )),
            _ => return None,
        };
        Some(answered.map(|answer| answer.to_string()))
    }

    fn recovery(&self, table: &str) -> Result<Value, Failure> {
        self.describe(table)?;
        let status = |on| if on { "ENABLED" } else { "DISABLED" };
        let since = self.history.since(table)?;
        let mut recovery = json!({ "PointInTimeRecoveryStatus": status(since.is_some()) });
        if let Some(since_ms) = since {
            let now_ms = runtime::now().millis();
            let oldest_ms = now_ms - i64::from(DAYS) * 24 * 60 * 60 * 1000;
            recovery["RecoveryPeriodInDays"] = json!(DAYS);
            recovery["EarliestRestorableDateTime"] = seconds(since_ms.max(oldest_ms));
            recovery["LatestRestorableDateTime"] = seconds(now_ms);
        }
        Ok(json!({ "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": recovery,
        } }))
    }

    fn set_recovery(&self, table: &str, on: bool) -> Result<Value, Failure> {
        self.describe(table)?;
        self.history.index(table)?;
        if on {
            self.history.switch_on(table)?;
        } else {
            self.history.switch_off(table)?;
        }
        self.recovery(table)
    }

    fn restore(self: &Arc<Self>, request: &Value) -> Result<Value, Failure> {
        let (source, target) =
            (text(&request["SourceTableName"]), text(&request["TargetTableName"]));
        let Ok(_) = self.describe(&source) else {
            return Err(Failure::Refused("TableNotFoundException", format!("no table {source}")));
        };
        if self.describe(&target).is_ok() {
            let what = format!("there is a table {target}");
            return Err(Failure::Refused("TableAlreadyExistsException", what));
        }
        let Some(since_ms) = self.history.since(&source)? else {
            let what = format!("{source} has no point-in-time recovery");
            return Err(Failure::Refused("PointInTimeRecoveryUnavailableException", what));
        };
        let now_ms = runtime::now().millis();
        let at_ms = match request["RestoreDateTime"].as_f64() {
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any date fit")]
            Some(seconds) => (seconds * 1000.0).round() as i64,
            None if request["UseLatestRestorableTime"] == true => now_ms,
            None => {
                let what = "RestoreDateTime or UseLatestRestorableTime must be given".to_owned();
                return Err(DynoxideError::ValidationException(what).into());
            }
        };
        if !(since_ms..=now_ms).contains(&at_ms) {
            let what = format!("{source} can be restored from {since_ms} to {now_ms} ms");
            return Err(Failure::Refused("InvalidRestoreTimeException", what));
        }
        let restoring = Restoring { target: target.clone(), source: source.clone(), at_ms };
        self.history.note_restore(&restoring)?;
        self.filling().insert(target.clone());
        match self.create_like(&source, &target) {
            Ok(()) => self.fill_later(restoring),
            // Another request of the same has just made it, and fills it.
            Err(Failure::Database(DynoxideError::ResourceInUseException(what))) => {
                return Err(Failure::Refused("TableAlreadyExistsException", what));
            }
            Err(error) => return Err(error),
        }
        let mut description = self.describe(&target)?;
        let described = description["Table"].take();
        Ok(json!({ "TableDescription": described }))
    }

    fn fill_later(self: &Arc<Self>, it: Restoring) {
        let tables = self.clone();
        tokio::task::spawn_blocking(move || {
            let filled = tables
                .history
                .at(&it.source, it.at_ms, SOME, |some| tables.import(&it.target, some));
            match filled.and_then(|()| Ok(tables.history.restored(&it.target)?)) {
                Ok(()) => {
                    tables.filling().remove(&it.target);
                }
                Err(error) => tracing::error!(%error, table = it.target, "not restored"),
            }
        });
    }

    /// A description as the database gives it, but for where it is, and whether it is being filled.
    pub(crate) fn describe(&self, table: &str) -> Result<Value, Failure> {
        let request = parse(json!({ "TableName": table }))?;
        let mut answer = as_json(&self.database.describe_table(request)?)?;
        answer["Table"]["TableArn"] = json!(super::arn(table));
        if self.filling().contains(table) {
            answer["Table"]["TableStatus"] = json!("CREATING");
        }
        Ok(answer)
    }

    /// Makes an empty table with the keys of another.
    pub(crate) fn create_like(&self, source: &str, target: &str) -> Result<(), Failure> {
        let source = &self.describe(source)?["Table"];
        self.create(target, &source["KeySchema"], &source["AttributeDefinitions"])
    }

    pub(crate) fn create(
        &self,
        table: &str,
        keys: &Value,
        attributes: &Value,
    ) -> Result<(), Failure> {
        let request = parse(json!({
            "TableName": table,
            "KeySchema": keys,
            "AttributeDefinitions": attributes,
            "BillingMode": "PAY_PER_REQUEST",
        }))?;
        self.database.create_table(request)?;
        Ok(self.history.index(table)?)
    }

    pub(crate) fn delete(&self, table: &str) -> Result<(), Failure> {
        self.database.delete_table(parse(json!({ "TableName": table }))?)?;
        Ok(())
    }

    /// Copies a table into a new file. How many items and bytes.
    pub(crate) fn copy(&self, table: &str, file: &Path) -> Result<(u64, u64), Failure> {
        match self.history.copy(table, file, COPIED) {
            Ok(copied) => Ok(copied),
            // What is no text cannot be copied; marked, it can.
            Err(_) if self.mark_unreadable(table) => {
                std::fs::remove_file(file)
                    .map_err(|error| DynoxideError::InternalServerError(error.to_string()))?;
                Ok(self.history.copy(table, file, COPIED)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// How many items a table has.
    pub(crate) fn count(&self, table: &str) -> Result<u64, Failure> {
        Ok(self.describe(table)?["Table"]["ItemCount"].as_u64().unwrap_or(0))
    }

    /// Fills a table with the items of such a copy.
    pub(crate) fn fill(&self, table: &str, file: &Path) -> Result<(), Failure> {
        history::read_copy(file, SOME, |some| self.import(table, some))
    }

    fn import(&self, table: &str, items: Vec<ItemJson>) -> Result<(), Failure> {
        // One that cannot be read is left out: who verifies names it, and all others are there.
        let read = |item: &ItemJson| {
            let read = serde_json::from_str::<Item>(item);
            let left_out = |error| tracing::error!(%error, table, "an item was left out");
            read.map_err(left_out).ok()
        };
        let items: Vec<Item> = items.iter().filter_map(read).collect();
        let options = ImportOptions { record_streams: false, set_cached_at: false };
        self.database.import_items(table, items, options)?;
        Ok(())
    }

    fn filling(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.filling.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse<Q: DeserializeOwned>(request: Value) -> Result<Q, DynoxideError> {
    serde_json::from_value(request)
        .map_err(|error| DynoxideError::ValidationException(error.to_string()))
}

fn as_json(answer: &impl serde::Serialize) -> Result<Value, DynoxideError> {
    serde_json::to_value(answer)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
