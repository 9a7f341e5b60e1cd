//! What AWS Backup knows of jobs and recovery points, in the form that it answers with.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS documents (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        kind     TEXT NOT NULL,
        id       TEXT NOT NULL,
        document TEXT NOT NULL,
        UNIQUE (kind, id)
    );
";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    BackupJob,
    CopyJob,
    RestoreJob,
    RecoveryPoint,
    /// An idempotency token, with the job that it stands for.
    Token,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::BackupJob => "backup job",
            Self::CopyJob => "copy job",
            Self::RestoreJob => "restore job",
            Self::RecoveryPoint => "recovery point",
            Self::Token => "token",
        }
    }
}

pub(super) struct Documents(Mutex<Connection>);

impl Documents {
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Mutex::new(connection)))
    }

    pub(super) fn get(&self, kind: Kind, id: &str) -> rusqlite::Result<Option<Value>> {
        let found = self.connection().query_row(
            "SELECT document FROM documents WHERE kind = ?1 AND id = ?2",
            [kind.name(), id],
            |row| row.get::<_, String>(0),
        );
        Ok(found.optional()?.map(|text| parse(&text)))
    }

    pub(super) fn put(&self, kind: Kind, id: &str, document: &Value) -> rusqlite::Result<()> {
        self.put_all(&[(kind, id, document)])
    }

    /// Puts all of them, or none, whenever the power goes.
    pub(super) fn put_all(&self, all: &[(Kind, &str, &Value)]) -> rusqlite::Result<()> {
        let mut connection = self.connection();
        let change = connection.transaction()?;
        for (kind, id, document) in all {
            change.execute(
                "INSERT INTO documents (kind, id, document) VALUES (?1, ?2, ?3)
                 ON CONFLICT (kind, id) DO UPDATE SET document = excluded.document",
                params![kind.name(), id, document.to_string()],
            )?;
        }
        change.commit()
    }

    /// Puts it unless there is one; the one that is there now.
    pub(super) fn claim(&self, kind: Kind, id: &str, document: &Value) -> rusqlite::Result<Value> {
        self.connection().execute(
            "INSERT OR IGNORE INTO documents (kind, id, document) VALUES (?1, ?2, ?3)",
            params![kind.name(), id, document.to_string()],
        )?;
        Ok(self.get(kind, id)?.unwrap_or_default())
    }

    pub(super) fn remove(&self, kind: Kind, id: &str) -> rusqlite::Result<()> {
        let delete = "DELETE FROM documents WHERE kind = ?1 AND id = ?2";
        self.connection().execute(delete, [kind.name(), id])?;
        Ok(())
    }

    /// All of a kind, the newest first.
    pub(super) fn all(&self, kind: Kind) -> rusqlite::Result<Vec<Value>> {
        let connection = self.connection();
        let mut all = connection
            .prepare("SELECT document FROM documents WHERE kind = ?1 ORDER BY sequence DESC")?;
        let rows = all.query_map([kind.name()], |row| row.get::<_, String>(0))?;
        rows.map(|text| Ok(parse(&text?))).collect()
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}
