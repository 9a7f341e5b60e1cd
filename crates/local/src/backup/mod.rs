//! AWS Backup, embedded: real copies of tables and buckets, real restores of them into new ones, jobs
//! that take their time, and the events that tell of them. Plans and restore tests come from the
//! template. A copy is a file of its own below `recovery-points/`.

mod bring_back;
mod copies;
mod documents;
mod evening;
mod faults;
mod jobs;
mod plan;
mod protocol;
mod restores;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use bring_back::BroughtBack;
pub use faults::{Fault, Faults};
pub(crate) use plan::Plan;
pub(crate) use protocol::serve;

use crate::LocalError;
use crate::dynamodb::Tables;
use crate::objects::Disk;
use documents::Documents;

/// The backup service of the local cloud.
pub(crate) struct Backup {
    documents: Documents,
    folder: PathBuf,
    tables: Arc<Tables>,
    disk: Arc<Disk>,
    pub(crate) plan: Plan,
    pub(crate) faults: Arc<Faults>,
    /// Jobs whose end could not be noted, as on a full disk: they have failed.
    lost: Mutex<BTreeSet<String>>,
}

/// What the local cloud can back up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Table(String),
    Bucket(String),
}

impl Resource {
    /// The table or bucket of an ARN.
    fn of_arn(arn: &str) -> Option<Self> {
        if let Some(bucket) = arn.strip_prefix("arn:aws:s3:::") {
            return Some(Self::Bucket(bucket.to_owned()));
        }
        let table = arn.strip_prefix("arn:aws:dynamodb:")?.rsplit_once(":table/")?.1;
        Some(Self::Table(table.to_owned()))
    }

    fn name(&self) -> &str {
        match self {
            Self::Table(name) | Self::Bucket(name) => name,
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Table(_) => "DynamoDB",
            Self::Bucket(_) => "S3",
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    #[error("{0}")]
    Refused(String),
    #[error("there is no {0}")]
    Unknown(String),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Disk(#[from] crate::objects::DiskError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Database(String),
}

impl From<crate::dynamodb::Failure> for BackupError {
    fn from(error: crate::dynamodb::Failure) -> Self {
        Self::Database(error.to_string())
    }
}

impl Backup {
    pub(crate) fn open(
        folder: &Path,
        plan: Plan,
        tables: Arc<Tables>,
        disk: Arc<Disk>,
    ) -> Result<Self, LocalError> {
        let path = folder.join("backup.sqlite");
        let failed = |what: String| LocalError::Database { path: path.clone(), what };
        let folder = folder.join("recovery-points");
        std::fs::create_dir_all(&folder).map_err(|error| failed(error.to_string()))?;
        let documents = Documents::open(&path).map_err(|error| failed(error.to_string()))?;
        let faults = Arc::default();
        Ok(Self { documents, folder, tables, disk, plan, faults, lost: Mutex::default() })
    }

    /// A job whose end is noted nowhere but here.
    fn lose_job(&self, job: &str) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).insert(job.to_owned());
    }

    fn is_lost(&self, job: &str) -> bool {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).contains(job)
    }
}
