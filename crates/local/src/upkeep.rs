//! What is seen to in the file of the database, beside the database itself: what has expired, what cannot be read,
//! and what was made already.

use rusqlite::{OptionalExtension as _, params};

use crate::history::{History, identifier, literal};

impl History {
    /// Whether a table was made as it is wanted, at an earlier start.
    pub(crate) fn is_made(&self, table: &str, wanted: &str) -> rusqlite::Result<bool> {
        let made = "SELECT 1 FROM am_made WHERE tbl = ?1 AND wanted = ?2";
        let made = self.connection().query_row(made, [table, wanted], |row| row.get::<_, i64>(0));
        Ok(made.optional()?.is_some())
    }

    pub(crate) fn note_made(&self, table: &str, wanted: &str) -> rusqlite::Result<()> {
        let note = "INSERT OR REPLACE INTO am_made (tbl, wanted) VALUES (?1, ?2)";
        self.connection().execute(note, [table, wanted])?;
        Ok(())
    }

    /// Deletes what has expired, by an index of what will.
    pub(crate) fn expire(
        &self,
        table: &str,
        attribute: &str,
        now_s: i64,
    ) -> rusqlite::Result<usize> {
        let name = identifier(table);
        let index = identifier(&format!("am_expiry_{table}"));
        let at = expires_at(attribute);
        let connection = self.connection();
        connection.execute_batch(&format!(
            "CREATE INDEX IF NOT EXISTS {index} ON {name} ({at}) WHERE {at} IS NOT NULL"
        ))?;
        // As on AWS, what would have expired five years ago was meant otherwise.
        let long_ago = now_s - 5 * 365 * 24 * 60 * 60;
        connection.execute(&delete_expired(table, attribute), [long_ago, now_s])
    }

    /// Marks items that cannot be read, each where it is, with all of what there was: so that it is named by
    /// its key, and all others can be read again. Their keys.
    pub(crate) fn mark_unreadable(
        &self,
        table: &str,
        is_readable: impl Fn(&str) -> bool,
    ) -> rusqlite::Result<Vec<String>> {
        let name = identifier(table);
        let connection = self.connection();
        let unreadable: Vec<(String, String, String)> = {
            let mut all = connection.prepare(&format!("SELECT pk, sk, item_json FROM {name}"))?;
            let mut rows = all.query([])?;
            let mut unreadable = Vec::new();
            while let Some(row) = rows.next()? {
                let bytes = row.get_ref(2)?.as_bytes().unwrap_or_default();
                let text = String::from_utf8_lossy(bytes);
                if !is_readable(&text) {
                    unreadable.push((row.get(0)?, row.get(1)?, crate::hex::hex(bytes)));
                }
            }
            unreadable
        };
        let mark = format!("UPDATE {name} SET item_json = ?3 WHERE pk = ?1 AND sk = ?2");
        for (pk, sk, bytes) in &unreadable {
            let left = serde_json::json!({
                "pk": { "S": bare(pk) }, "sk": { "S": bare(sk) }, "unreadable": { "S": bytes },
            });
            connection.execute(&mark, params![pk, sk, left.to_string()])?;
        }
        let key = |(pk, sk, _): &(String, String, String)| format!("{}/{}", bare(pk), bare(sk));
        Ok(unreadable.iter().map(key).collect())
    }
}

/// When an item expires, in seconds. What is no JSON never does: somebody has to see it.
fn expires_at(attribute: &str) -> String {
    let path = literal(&format!("$.{attribute}.N"));
    format!(
        "CASE WHEN json_valid(item_json) THEN CAST(json_extract(item_json, {path}) AS INTEGER) END"
    )
}

fn delete_expired(table: &str, attribute: &str) -> String {
    let (name, at) = (identifier(table), expires_at(attribute));
    format!("DELETE FROM {name} WHERE {at} IS NOT NULL AND {at} BETWEEN ?1 AND ?2")
}

/// A key as it is in an item: the database writes its type before it.
fn bare(key: &str) -> &str {
    key.strip_prefix("S:").unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_expired_goes_by_an_index_and_what_cannot_be_read_stays() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let history = History::open(file.path()).unwrap();
        let run = |sql: &str| history.connection().execute_batch(sql).unwrap();
        run("CREATE TABLE t (pk TEXT, sk TEXT, item_json TEXT, PRIMARY KEY (pk, sk))");
        let now_s = 1_800_000_000;
        let item = |at_s: i64| format!("{{\"expires_at\":{{\"N\":\"{at_s}\"}}}}");
        for (pk, item) in [
            ("gone", item(now_s - 1)),
            ("now", item(now_s)),
            ("later", item(now_s + 1)),
            ("ages ago", item(now_s - 6 * 365 * 24 * 60 * 60)),
            ("never", "{}".to_owned()),
            ("broken", "{".to_owned()),
        ] {
            run(&format!("INSERT INTO t VALUES ('{pk}', '', '{item}')"));
        }
        assert_eq!(history.expire("t", "expires_at", now_s).unwrap(), 2);
        assert_eq!(history.expire("t", "expires_at", now_s).unwrap(), 0);
        let left = "SELECT count(*) FROM t WHERE pk IN ('later', 'ages ago', 'never', 'broken')";
        let left: i64 = history.connection().query_row(left, [], |row| row.get(0)).unwrap();
        assert_eq!(left, 4);
        let explain = format!("EXPLAIN QUERY PLAN {}", delete_expired("t", "expires_at"));
        let plan: String =
            history.connection().query_row(&explain, [0, now_s], |row| row.get(3)).unwrap();
        assert!(plan.contains("am_expiry_t"), "{plan}");
    }
}
