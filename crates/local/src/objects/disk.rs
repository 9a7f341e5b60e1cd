//! Objects on disk: an index in SQLite, and the bytes of each version in a file of its own. An
//! object exists when its row does. The row is written with the event that announces it, in one
//! transaction, after the bytes are safely on disk: killed at any point, there is a whole object
//! with its event, or none.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use domain::RecordId;
use runtime::OsEntropy;
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::Notify;

use super::incoming::Incoming;
use super::outbox::created_event;
use crate::LocalError;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS versions (
        sequence     INTEGER PRIMARY KEY AUTOINCREMENT,
        bucket       TEXT NOT NULL,
        key          TEXT NOT NULL,
        version_id   TEXT NOT NULL UNIQUE,
        bytes        INTEGER NOT NULL,
        content_type TEXT NOT NULL,
        sha256       TEXT,
        etag         TEXT NOT NULL,
        stored_at_ms INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS unversioned (name TEXT PRIMARY KEY);
    CREATE TABLE IF NOT EXISTS markers (
        bucket   TEXT NOT NULL,
        key      TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        PRIMARY KEY (bucket, key)
    );
    CREATE INDEX IF NOT EXISTS versions_by_key ON versions (bucket, key, sequence);
    CREATE TABLE IF NOT EXISTS events (
        id     INTEGER PRIMARY KEY AUTOINCREMENT,
        event  TEXT NOT NULL,
        tries  INTEGER NOT NULL DEFAULT 0,
        due_ms INTEGER NOT NULL DEFAULT 0
    );
";

/// The newest version of each key that is not marked as deleted since.
const VIEWS: &str = "
    CREATE VIEW IF NOT EXISTS newest AS
    SELECT * FROM versions AS v
    WHERE NOT EXISTS (SELECT 1 FROM versions AS later WHERE later.bucket = v.bucket
                      AND later.key = v.key AND later.sequence > v.sequence)
      AND NOT EXISTS (SELECT 1 FROM markers AS m WHERE m.bucket = v.bucket
                      AND m.key = v.key AND m.sequence >= v.sequence);
";
/// The columns of [`Facts`].
const FACTS: &str = "version_id, bytes, content_type, sha256, etag, stored_at_ms";

#[derive(Debug, thiserror::Error)]
pub(crate) enum DiskError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

pub(crate) struct Disk {
    folder: PathBuf,
    index: Mutex<Connection>,
    /// Woken when an event of the bucket's was added.
    pub(super) announced: Notify,
    /// The same, of AWS Backup's.
    pub(super) announced_backups: Notify,
}

/// What is known of one version of an object.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) version_id: String,
    pub(crate) bytes: u64,
    pub(crate) content_type: String,
    pub(crate) sha256: Option<String>,
    pub(crate) etag: String,
    pub(crate) stored_at_ms: i64,
}

/// An object whose bytes are on disk.
pub(crate) struct NewObject {
    pub(crate) incoming: Incoming,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) bytes: u64,
    pub(crate) content_type: String,
    pub(crate) sha256: Option<String>,
    pub(crate) etag: String,
    pub(crate) only_if_absent: bool,
    /// Whether an event tells of it: a restored bucket announces nothing.
    pub(crate) announced: bool,
}

impl Disk {
    /// Opens the store below `folder`, and clears what a kill left half received.
    pub(crate) fn open_folder(folder: &Path) -> Result<Self, LocalError> {
        let path = folder.join("objects.sqlite");
        let failed =
            |error: DiskError| LocalError::Database { path: path.clone(), what: error.to_string() };
        let open = || -> Result<Connection, DiskError> {
            let incoming = folder.join("incoming");
            if incoming.exists() {
                std::fs::remove_dir_all(&incoming)?;
            }
            std::fs::create_dir_all(&incoming)?;
            std::fs::create_dir_all(folder.join("objects"))?;
            let index = Connection::open(&path)?;
            index.execute_batch(SCHEMA)?;
            index.execute_batch(VIEWS)?;
            Ok(index)
        };
        let index = open().map_err(failed)?;
        let disk = Self {
            folder: folder.to_owned(),
            index: Mutex::new(index),
            announced: Notify::new(),
            announced_backups: Notify::new(),
        };
        disk.put_unindexed_aside().map_err(failed)?;
        Ok(disk)
    }

    /// Puts files aside that were moved into place right before a kill, and whose row never came.
    /// They are not deleted: should the index have been lost, they are all that is left.
    fn put_unindexed_aside(&self) -> Result<(), DiskError> {
        for entry in std::fs::read_dir(self.folder.join("objects"))? {
            let entry = entry?;
            let name = entry.file_name();
            let known: Option<i64> = self
                .index()
                .query_row(
                    "SELECT 1 FROM versions WHERE version_id = ?1",
                    [name.to_string_lossy()],
                    |row| row.get(0),
                )
                .optional()?;
            if known.is_none() {
                let orphans = self.folder.join("orphans");
                std::fs::create_dir_all(&orphans)?;
                std::fs::rename(entry.path(), orphans.join(&name))?;
            }
        }
        Ok(())
    }

    /// A new file to receive bytes into.
    pub(crate) async fn incoming(&self) -> Result<Incoming, DiskError> {
        Ok(Incoming::create(self.folder.join("incoming").join(new_id())).await?)
    }

    /// Makes a received object the newest version of its key, and announces it. `None`: it was to
    /// be stored only if the key is new, and the key is not.
    pub(crate) fn store(&self, object: NewObject) -> Result<Option<Facts>, DiskError> {
        let facts = Facts {
            version_id: new_id(),
            bytes: object.bytes,
            content_type: object.content_type,
            sha256: object.sha256,
            etag: object.etag,
            stored_at_ms: runtime::now().millis(),
        };
        let mut index = self.index();
        let change = index.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let held: Option<i64> = change
            .query_row(
                "SELECT 1 FROM newest WHERE bucket = ?1 AND key = ?2 LIMIT 1",
                params![object.bucket, object.key],
                |row| row.get(0),
            )
            .optional()?;
        if object.only_if_absent && held.is_some() {
            return Ok(None);
        }
        std::fs::rename(object.incoming.path(), self.blob(&facts.version_id))?;
        std::fs::File::open(self.folder.join("objects"))?.sync_all()?;
        change.execute(
            "INSERT INTO versions (bucket, key, version_id, bytes, content_type, sha256, etag,
                                   stored_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                object.bucket,
                object.key,
                facts.version_id,
                i64::try_from(facts.bytes).unwrap_or(i64::MAX),
                facts.content_type,
                facts.sha256,
                facts.etag,
                facts.stored_at_ms,
            ],
        )?;
        if object.announced {
            let event = created_event(&object.bucket, &object.key, &facts);
            change.execute("INSERT INTO events (event) VALUES (?1)", [event.to_string()])?;
        }
        change.commit()?;
        drop(index);
        self.announced.notify_one();
        Ok(Some(facts))
    }

    /// The newest version of a key, or the one that is named.
    pub(crate) fn find(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<Option<Facts>, DiskError> {
        let found = self.index().query_row(
            &format!(
                "SELECT {FACTS} FROM versions
                 WHERE bucket = ?1 AND key = ?2 AND (?3 IS NULL OR version_id = ?3)
                   AND (?3 IS NOT NULL OR version_id IN (SELECT version_id FROM newest
                        WHERE bucket = ?1 AND key = ?2))
                 ORDER BY sequence DESC LIMIT 1"
            ),
            params![bucket, key, version],
            facts,
        );
        Ok(found.optional()?)
    }

    /// How many bytes there are of a version, and their SHA-256; `None`: there is no file.
    pub(crate) async fn look_at(&self, facts: &Facts) -> Result<Option<(u64, String)>, DiskError> {
        let path = self.blob(&facts.version_id);
        let looked = tokio::task::spawn_blocking(move || super::incoming::sums_of(&path));
        let looked = looked.await.map_err(std::io::Error::other)?;
        match looked {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            looked => Ok(Some(looked?)),
        }
    }

    /// Up to `limit` versions of the keys that start so, the newest first.
    pub(crate) fn versions(
        &self,
        bucket: &str,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<(String, Facts)>, DiskError> {
        let index = self.index();
        let mut all = index.prepare(&format!(
            "SELECT {FACTS}, key FROM versions WHERE bucket = ?1 AND key >= ?2 \
             AND substr(key, 1, length(?2)) = ?2 ORDER BY key, sequence DESC LIMIT ?3"
        ))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = all.query_map(params![bucket, prefix, limit], |row| {
            Ok((row.get(FACTS.split(',').count())?, facts(row)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Up to `limit` keys after one, in their order, with the newest version of each.
    pub(crate) fn list(
        &self,
        bucket: &str,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(String, Facts)>, DiskError> {
        let index = self.index();
        let mut newest = index.prepare(&format!(
            "SELECT {FACTS}, key FROM newest WHERE bucket = ?1 AND key > ?2 \
             AND substr(key, 1, length(?4)) = ?4 ORDER BY key LIMIT ?3"
        ))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = newest.query_map(params![bucket, after, limit, prefix], |row| {
            Ok((row.get(FACTS.split(',').count())?, facts(row)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Marks a key as deleted, and every version of it stays; or removes it where there are none.
    /// Whether it was marked.
    pub(crate) fn delete(&self, bucket: &str, key: &str) -> Result<bool, DiskError> {
        let query = "SELECT 1 FROM unversioned WHERE name = ?1";
        let unversioned: Option<i64> =
            self.index().query_row(query, [bucket], |row| row.get(0)).optional()?;
        if unversioned.is_some() {
            self.remove(bucket, Some(key))?;
            return Ok(false);
        }
        self.index().execute(
            "INSERT OR REPLACE INTO markers (bucket, key, sequence)
             SELECT ?1, ?2, max(sequence) FROM versions WHERE bucket = ?1 AND key = ?2
             HAVING max(sequence) IS NOT NULL",
            [bucket, key],
        )?;
        Ok(true)
    }

    pub(crate) fn add_bucket(&self, bucket: &str, versioned: bool) -> Result<(), DiskError> {
        let index = self.index();
        index.execute("INSERT OR IGNORE INTO buckets (name) VALUES (?1)", [bucket])?;
        index.execute(
            if versioned {
                "DELETE FROM unversioned WHERE name = ?1"
            } else {
                "INSERT OR IGNORE INTO unversioned (name) VALUES (?1)"
            },
            [bucket],
        )?;
        Ok(())
    }

    pub(crate) fn has_bucket(&self, bucket: &str) -> Result<bool, DiskError> {
        let found =
            self.index().query_row("SELECT 1 FROM buckets WHERE name = ?1", [bucket], |row| {
                row.get::<_, i64>(0)
            });
        Ok(found.optional()?.is_some())
    }

    /// Removes a bucket with all that is in it: one that a test has restored.
    pub(crate) fn remove_bucket(&self, bucket: &str) -> Result<(), DiskError> {
        self.remove(bucket, None)?;
        self.index().execute("DELETE FROM buckets WHERE name = ?1", [bucket])?;
        Ok(())
    }

    /// Removes a key for good, or all keys of a bucket.
    pub(crate) fn remove(&self, bucket: &str, key: Option<&str>) -> Result<(), DiskError> {
        let blobs: Vec<String> = {
            let index = self.index();
            let mut removed = index.prepare(
                "DELETE FROM versions WHERE bucket = ?1 AND (?2 IS NULL OR key = ?2)
                 RETURNING version_id",
            )?;
            let ids = removed.query_map(params![bucket, key], |row| row.get(0))?;
            ids.collect::<Result<_, _>>()?
        };
        for version_id in blobs {
            std::fs::remove_file(self.blob(&version_id))?;
        }
        Ok(())
    }

    pub(crate) async fn open(&self, facts: &Facts) -> Result<tokio::fs::File, DiskError> {
        Ok(tokio::fs::File::open(self.blob(&facts.version_id)).await?)
    }

    pub(crate) fn blob(&self, version_id: &str) -> PathBuf {
        self.folder.join("objects").join(version_id)
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Connection> {
        // A panic leaves a transaction that was never committed, and SQLite rolls it back.
        self.index.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn facts(row: &rusqlite::Row<'_>) -> rusqlite::Result<Facts> {
    Ok(Facts {
        version_id: row.get(0)?,
        bytes: row.get::<_, i64>(1)?.unsigned_abs(),
        content_type: row.get(2)?,
        sha256: row.get(3)?,
        etag: row.get(4)?,
        stored_at_ms: row.get(5)?,
    })
}

/// A name that nothing else has, and that sorts by time. Any ULID would do.
fn new_id() -> String {
    RecordId::new(runtime::now(), &OsEntropy).to_string()
}
