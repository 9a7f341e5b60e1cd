//! DynamoDB's point-in-time recovery: what every item was at any time of the last 35 days. The
//! database logs by itself, in the very transaction of a write, so that no kill can part the two.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::LocalError;

/// How far back a table may be restored.
pub(crate) const DAYS: u32 = 35;

const BUSY: Duration = Duration::from_secs(30);
/// So many rows are looked at in one transaction of [`History::trim`].
const TRIMMED_AT_ONCE: usize = 5_000;
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS am_history (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        tbl      TEXT NOT NULL,
        pk       TEXT NOT NULL,
        sk       TEXT NOT NULL,
        item     TEXT,
        at_ms    INTEGER NOT NULL
    );
    CREATE INDEX IF NOT EXISTS am_history_by_key ON am_history (tbl, pk, sk, sequence);
    CREATE TABLE IF NOT EXISTS am_clock (one INTEGER PRIMARY KEY CHECK (one = 1), ahead_ms INTEGER NOT NULL);
    INSERT OR IGNORE INTO am_clock VALUES (1, 0);
    CREATE TABLE IF NOT EXISTS am_made (tbl TEXT PRIMARY KEY, wanted TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS am_recovery (tbl TEXT PRIMARY KEY, since_ms INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS am_restores (
        target TEXT PRIMARY KEY,
        source TEXT NOT NULL,
        at_ms  INTEGER NOT NULL
    );
";
/// The service's time, which is ahead of the machine's where that was set back; and never before what was
/// logged already.
const NOW: &str = "max(
    CAST(unixepoch('subsec') * 1000 AS INTEGER) + (SELECT ahead_ms FROM am_clock),
    (SELECT coalesce((SELECT at_ms FROM am_history ORDER BY sequence DESC LIMIT 1), 0)))";

/// Items as the database writes them.
pub(crate) type ItemJson = String;

/// A restore that was asked for and is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Restoring {
    pub(crate) target: String,
    pub(crate) source: String,
    pub(crate) at_ms: i64,
}

pub(crate) struct History {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl History {
    /// Of the database at `path`.
    pub(crate) fn open(path: &Path) -> Result<Self, LocalError> {
        let failed = |error: rusqlite::Error| LocalError::Database {
            path: path.to_owned(),
            what: error.to_string(),
        };
        let connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        connection.execute_batch(SCHEMA).map_err(failed)?;
        let history = Self { path: path.to_owned(), connection: Mutex::new(connection) };
        history.renew_triggers().map_err(failed)?;
        Ok(history)
    }

    /// By so much the service's time is ahead of the machine's, and it is `now_ms`. What was logged as later than
    /// that was so by a wrong clock: it is of now. Its order stays.
    pub(crate) fn set_ahead(&self, ahead_ms: i64, now_ms: i64) -> rusqlite::Result<()> {
        let mut connection = self.connection();
        let change = connection.transaction()?;
        change.execute("UPDATE am_clock SET ahead_ms = ?1", [ahead_ms])?;
        // Times rise with the rows: where the last one is not later, none is.
        let last =
            "SELECT coalesce((SELECT at_ms FROM am_history ORDER BY sequence DESC LIMIT 1), 0)";
        if change.query_row(last, [], |row| row.get::<_, i64>(0))? > now_ms {
            change.execute("UPDATE am_history SET at_ms = ?1 WHERE at_ms > ?1", [now_ms])?;
            change.execute("UPDATE am_recovery SET since_ms = ?1 WHERE since_ms > ?1", [now_ms])?;
        }
        change.commit()
    }

    /// Triggers of the release before log by the machine's time.
    fn renew_triggers(&self) -> rusqlite::Result<()> {
        let tables: Vec<String> = {
            let connection = self.connection();
            let mut old = connection.prepare(
                "SELECT tbl FROM am_recovery WHERE EXISTS (SELECT 1 FROM sqlite_master AS m
                 WHERE m.type = 'trigger' AND m.name = 'am_INSERT_' || tbl
                   AND instr(m.sql, 'am_clock') = 0)",
            )?;
            old.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
        };
        for table in tables {
            let (drop, create) = (drop_triggers(&table), create_triggers(&table));
            self.connection()
                .execute_batch(&format!("BEGIN IMMEDIATE; {drop} {create} COMMIT;"))?;
        }
        Ok(())
    }

    /// Since when a table can be restored; `None` where that is off.
    pub(crate) fn since(&self, table: &str) -> rusqlite::Result<Option<i64>> {
        self.connection()
            .query_row("SELECT since_ms FROM am_recovery WHERE tbl = ?1", [table], |row| row.get(0))
            .optional()
    }

    /// Lets a table be read in segments without sorting all of it for each page.
    pub(crate) fn index(&self, table: &str) -> rusqlite::Result<()> {
        let index = identifier(&format!("am_segments_{table}"));
        let table = identifier(table);
        self.connection().execute_batch(&format!(
            "CREATE INDEX IF NOT EXISTS {index} ON {table} (hash_prefix, pk, sk)"
        ))
    }

    /// Starts logging, with what there is now. Where it is on already, nothing changes.
    pub(crate) fn switch_on(&self, table: &str) -> rusqlite::Result<()> {
        if self.since(table)?.is_some() {
            return Ok(());
        }
        let (name, text) = (identifier(table), literal(table));
        let triggers = create_triggers(table);
        self.connection().execute_batch(&format!(
            "BEGIN IMMEDIATE;
             DELETE FROM am_history WHERE tbl = {text};
             INSERT INTO am_history (tbl, pk, sk, item, at_ms)
               SELECT {text}, pk, sk, item_json, {NOW} FROM {name};
             {triggers}
             INSERT INTO am_recovery (tbl, since_ms) VALUES ({text}, {NOW});
             COMMIT;"
        ))
    }

    /// Stops logging, and forgets.
    pub(crate) fn switch_off(&self, table: &str) -> rusqlite::Result<()> {
        let (text, drop) = (literal(table), drop_triggers(table));
        self.connection().execute_batch(&format!(
            "BEGIN IMMEDIATE; {drop}
             DELETE FROM am_recovery WHERE tbl = {text};
             DELETE FROM am_history WHERE tbl = {text};
             COMMIT;"
        ))
    }

    /// Hands what the table held at a time to `each`, some at a time.
    pub(crate) fn at<E: From<rusqlite::Error>>(
        &self,
        table: &str,
        at_ms: i64,
        some: usize,
        mut each: impl FnMut(Vec<ItemJson>) -> Result<(), E>,
    ) -> Result<(), E> {
        // A connection of its own: others go on meanwhile.
        let connection = Connection::open(&self.path)?;
        connection.busy_timeout(BUSY)?;
        // Of a group, SQLite gives the columns of the row that has the maximum.
        let mut newest = connection.prepare(
            "SELECT item, max(sequence) FROM am_history WHERE tbl = ?1 AND at_ms <= ?2
             GROUP BY pk, sk",
        )?;
        let mut rows = newest.query(params![table, at_ms])?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            items.extend(row.get::<_, Option<ItemJson>>(0)?);
            if items.len() == some {
                each(std::mem::take(&mut items))?;
            }
        }
        each(items)
    }

    /// Forgets what nobody may ask for any more: what was followed by something that is 35 days old,
    /// and then what was deleted so long ago. Some at a time, so that writers need not wait.
    pub(crate) fn trim(&self, now_ms: i64) -> rusqlite::Result<usize> {
        let oldest_ms = now_ms - i64::from(DAYS) * 24 * 60 * 60 * 1000;
        let (first, last) = self.logged_until(oldest_ms)?;
        let mut forgotten = 0;
        for from in (first..last).step_by(TRIMMED_AT_ONCE) {
            let to = from + i64::try_from(TRIMMED_AT_ONCE).unwrap_or(i64::MAX);
            forgotten += self.connection().execute(
                "DELETE FROM am_history WHERE sequence > ?2 AND sequence <= ?3 AND at_ms <= ?1
                 AND (EXISTS (
                   SELECT 1 FROM am_history AS later
                   WHERE later.tbl = am_history.tbl AND later.pk = am_history.pk
                     AND later.sk = am_history.sk AND later.sequence > am_history.sequence
                     AND later.at_ms <= ?1)
                 OR item IS NULL AND NOT EXISTS (
                   SELECT 1 FROM am_history AS earlier
                   WHERE earlier.tbl = am_history.tbl AND earlier.pk = am_history.pk
                     AND earlier.sk = am_history.sk AND earlier.sequence < am_history.sequence))",
                [oldest_ms, from, to],
            )?;
        }
        Ok(forgotten)
    }

    /// What comes before the first row of the log, and the last one that is so old: times rise with the rows, so
    /// it is found by halving.
    fn logged_until(&self, at_ms: i64) -> rusqlite::Result<(i64, i64)> {
        let connection = self.connection();
        let bounds =
            "SELECT coalesce(min(sequence), 1) - 1, coalesce(max(sequence), 0) FROM am_history";
        let (first, mut end) = connection
            .query_row(bounds, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        let mut begin = first;
        let mut at = connection.prepare(
            "SELECT sequence, at_ms FROM am_history WHERE sequence > ?1 ORDER BY sequence LIMIT 1",
        )?;
        while begin < end {
            let middle = begin + (end - begin) / 2;
            let (row, time): (i64, i64) =
                at.query_row([middle], |row| Ok((row.get(0)?, row.get(1)?)))?;
            if time <= at_ms { begin = row } else { end = middle }
        }
        Ok((first, begin))
    }

    pub(crate) fn note_restore(&self, it: &Restoring) -> rusqlite::Result<()> {
        self.connection().execute(
            "INSERT OR REPLACE INTO am_restores (target, source, at_ms) VALUES (?1, ?2, ?3)",
            params![it.target, it.source, it.at_ms],
        )?;
        Ok(())
    }

    pub(crate) fn restored(&self, target: &str) -> rusqlite::Result<()> {
        self.connection().execute("DELETE FROM am_restores WHERE target = ?1", [target])?;
        Ok(())
    }

    /// What was asked for and is not done.
    pub(crate) fn restoring(&self) -> rusqlite::Result<Vec<Restoring>> {
        let connection = self.connection();
        let mut all = connection.prepare("SELECT target, source, at_ms FROM am_restores")?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Restoring { target: row.get(0)?, source: row.get(1)?, at_ms: row.get(2)? })
        };
        all.query_map([], read)?.collect()
    }

    /// Copies all items of a table into a new file, some at a time: what changes meanwhile may be in
    /// it or not, as in a backup of DynamoDB. How many items and bytes.
    pub(crate) fn copy(
        &self,
        table: &str,
        file: &Path,
        some: usize,
    ) -> rusqlite::Result<(u64, u64)> {
        let into = Connection::open(file)?;
        into.execute_batch("CREATE TABLE items (pk TEXT, sk TEXT, item TEXT NOT NULL)")?;
        let page = format!(
            "SELECT pk, sk, item_json FROM {} WHERE (pk, sk) > (?1, ?2) ORDER BY pk, sk LIMIT ?3",
            identifier(table)
        );
        let (mut items, mut bytes) = (0, 0);
        let (mut pk, mut sk) = (String::new(), String::new());
        loop {
            let rows = {
                let connection = self.connection();
                let mut page = connection.prepare(&page)?;
                let limit = i64::try_from(some).unwrap_or(i64::MAX);
                let rows = page.query_map(params![pk, sk, limit], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?;
                rows.collect::<rusqlite::Result<Vec<(String, String, ItemJson)>>>()?
            };
            let Some(last) = rows.last() else { return Ok((items, bytes)) };
            (pk, sk) = (last.0.clone(), last.1.clone());
            into.execute_batch("BEGIN")?;
            for (pk, sk, item) in &rows {
                items += 1;
                bytes += item.len() as u64;
                into.execute("INSERT INTO items VALUES (?1, ?2, ?3)", params![pk, sk, item])?;
            }
            into.execute_batch("COMMIT")?;
        }
    }

    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic leaves a transaction that was never committed, and SQLite rolls it back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands the items of a copy to `each`, some at a time.
pub(crate) fn read_copy<E: From<rusqlite::Error>>(
    file: &Path,
    some: usize,
    mut each: impl FnMut(Vec<ItemJson>) -> Result<(), E>,
) -> Result<(), E> {
    let from = Connection::open(file)?;
    let mut all = from.prepare("SELECT item FROM items")?;
    let mut rows = all.query([])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(row.get(0)?);
        if items.len() == some {
            each(std::mem::take(&mut items))?;
        }
    }
    each(items)
}

/// Each write is logged by the database itself, in its own transaction.
fn create_triggers(table: &str) -> String {
    let (name, text) = (identifier(table), literal(table));
    let rows = [
        ("INSERT", "NEW", "NEW.item_json"),
        ("UPDATE", "NEW", "NEW.item_json"),
        ("DELETE", "OLD", "NULL"),
    ];
    let trigger = |(event, row, item): (&str, &str, &str)| {
        let trigger = identifier(&format!("am_{event}_{table}"));
        format!(
            "CREATE TRIGGER IF NOT EXISTS {trigger} AFTER {event} ON {name} BEGIN
               INSERT INTO am_history (tbl, pk, sk, item, at_ms)
               VALUES ({text}, {row}.pk, {row}.sk, {item}, {NOW});
             END;"
        )
    };
    rows.map(trigger).concat()
}

fn drop_triggers(table: &str) -> String {
    let drop =
        |event| format!("DROP TRIGGER IF EXISTS {};", identifier(&format!("am_{event}_{table}")));
    ["INSERT", "UPDATE", "DELETE"].map(drop).concat()
}

pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_old_is_forgotten_and_the_past_of_35_days_stays() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let history = History::open(file.path()).unwrap();
        let run = |sql: &str| history.connection().execute_batch(sql).unwrap();
        run("CREATE TABLE t (pk TEXT, sk TEXT, item_json TEXT, PRIMARY KEY (pk, sk))");
        history.switch_on("t").unwrap();
        run("INSERT INTO t VALUES ('a', '', 'a1'), ('b', '', 'b1'), ('c', '', 'c1');
             UPDATE t SET item_json = 'a2' WHERE pk = 'a'; DELETE FROM t WHERE pk = 'b'");
        run("UPDATE am_history SET at_ms = sequence");
        run("UPDATE t SET item_json = 'a3' WHERE pk = 'a'; DELETE FROM t WHERE pk = 'c'");
        let now_ms = 6 + i64::from(DAYS) * 24 * 60 * 60 * 1000;
        run("UPDATE am_history SET at_ms = at_ms + 6 WHERE sequence > 5");
        let at = |at_ms| {
            let mut found = Vec::new();
            let each = |mut items| {
                found.append(&mut items);
                Ok::<_, rusqlite::Error>(())
            };
            history.at("t", at_ms, 10, each).unwrap();
            found.sort();
            found
        };
        let newest = at(i64::MAX);
        assert_eq!(
            (at(6), &newest),
            (vec!["a2".to_owned(), "c1".to_owned()], &vec!["a3".to_owned()])
        );
        assert_eq!(history.trim(now_ms).unwrap(), 2, "a1 and b1");
        assert_eq!(history.trim(now_ms).unwrap(), 1, "that b is gone");
        assert_eq!((at(6), at(i64::MAX)), (vec!["a2".to_owned(), "c1".to_owned()], newest));
        assert_eq!(history.trim(now_ms).unwrap(), 0);
    }
}
