//! Events that wait to be delivered, beside the index of objects: the bucket's are written with what
//! they announce, in one transaction.

use domain::Entropy as _;
use runtime::OsEntropy;
use rusqlite::{OptionalExtension as _, params};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::disk::{Disk, DiskError, Facts};
use crate::hex::hex;

/// Lambda tries an event three times.
const TRIES_MAX: u32 = 3;
/// A failed event waits this long, then twice as long.
const RETRY_AFTER_MS: i64 = 1_000;

/// Who tells of something. Each is delivered in its order, and none waits for another: a backup is
/// verified for minutes, an upload wants to be noted at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    S3,
    Backup,
}

impl Source {
    pub(crate) const ALL: [Self; 2] = [Self::S3, Self::Backup];

    const fn name(self) -> &'static str {
        match self {
            Self::S3 => "aws.s3",
            Self::Backup => "aws.backup",
        }
    }
}

/// An event that is to be delivered.
pub(crate) struct Due {
    pub(crate) id: i64,
    pub(crate) event: Value,
}

impl Disk {
    /// An event of AWS Backup's, to be delivered like those of the bucket, no earlier than due.
    pub(crate) fn announce(&self, event: &Value, due_ms: i64) -> Result<(), DiskError> {
        self.index().execute(
            "INSERT INTO events (event, due_ms) VALUES (?1, ?2)",
            params![event.to_string(), due_ms],
        )?;
        self.told(Source::Backup).notify_one();
        Ok(())
    }

    /// What a wrong clock has put off for longer than any retry takes is due.
    pub(crate) fn hasten(&self, now_ms: i64) -> Result<(), DiskError> {
        let hasten = "UPDATE events SET due_ms = ?1 WHERE due_ms > ?1 + 600000";
        self.index().execute(hasten, [now_ms])?;
        Ok(())
    }

    /// Woken when there is an event of that source.
    pub(crate) fn told(&self, source: Source) -> &Notify {
        match source {
            Source::S3 => &self.announced,
            Source::Backup => &self.announced_backups,
        }
    }

    /// The oldest event of a source that is due by `now_ms`.
    pub(crate) fn due_event(&self, source: Source, now_ms: i64) -> Result<Option<Due>, DiskError> {
        let due = self.index().query_row(
            "SELECT id, event FROM events
             WHERE tries < ?1 AND due_ms <= ?2 AND event ->> '$.source' = ?3 ORDER BY id LIMIT 1",
            params![TRIES_MAX, now_ms, source.name()],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)),
        );
        let parse = |(id, text): (i64, String)| Due {
            id,
            event: serde_json::from_str(&text).unwrap_or(Value::Null),
        };
        Ok(due.optional()?.map(parse))
    }

    /// How many events are still to be delivered; those given up on do not count.
    pub(crate) fn undelivered(&self) -> Result<u64, DiskError> {
        let count: i64 = self.index().query_row(
            "SELECT count(*) FROM events WHERE tries < ?1",
            [TRIES_MAX],
            |row| row.get(0),
        )?;
        Ok(count.unsigned_abs())
    }

    pub(crate) fn delivered(&self, id: i64) -> Result<(), DiskError> {
        self.index().execute("DELETE FROM events WHERE id = ?1", [id])?;
        Ok(())
    }

    /// Puts an event off; after the last try it stays in the table, for somebody to look at.
    pub(crate) fn put_off(&self, id: i64, now_ms: i64) -> Result<(), DiskError> {
        self.index().execute(
            "UPDATE events SET tries = tries + 1, due_ms = ?2 + (?3 << tries) WHERE id = ?1",
            params![id, now_ms, RETRY_AFTER_MS],
        )?;
        Ok(())
    }
}

/// EventBridge's "Object Created".
pub(super) fn created_event(bucket: &str, key: &str, facts: &Facts) -> Value {
    let mut id = [0; 16];
    OsEntropy.fill(&mut id);
    json!({
        "version": "0",
        "id": hex(&id),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "000000000000",
        "time": domain::Timestamp::from_millis(facts.stored_at_ms).to_string(),
        "region": "eu-central-1",
        "resources": [format!("arn:aws:s3:::{bucket}")],
        "detail": {
            "version": "0",
            "bucket": { "name": bucket },
            "object": {
                "key": key,
                "size": facts.bytes,
                "etag": facts.etag,
                "version-id": facts.version_id,
            },
            "reason": "PutObject",
        },
    })
}
