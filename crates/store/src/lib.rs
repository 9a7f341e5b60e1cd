//! What is kept, in DynamoDB and S3: one file per kind of thing, every key string in `keys`, every
//! attribute name in `items`, and the one way to change anything durable in `transaction`.
//!
//! Nothing here reads or writes without a [`Customer`], and only a verified session, a sign-up or
//! an object of the bucket yields one: forgetting the tenant does not compile. The exceptions
//! are `scan`, `ledger`, `evidence` and `erasures`, which are about all customers, for backups, and
//! `crashes`, which are about none. This crate must never depend on HTTP, on an environment variable
//! or on a clock.

mod accounts;
mod appendices;
mod batch;
mod bucket;
mod crashes;
mod erasures;
mod error;
mod evidence;
mod items;
mod keys;
mod ledger;
mod logins;
mod mend;
mod object_keys;
mod objects;
mod records;
mod requests;
mod revisions;
mod row;
mod scan;
mod scope;
mod sessions;
mod standing;
mod transaction;

use std::sync::Arc;

pub use accounts::{CustomerProfile, SignUp, UserProfile};
pub use appendices::{AppendixHistory, AppendixPage, ListAppendices, ReadAppendix, Reservation};
pub use bucket::{Held, Listing};
pub use crashes::{CrashBucket, Deletion};
pub use error::{StoreError, WriteError};
pub use evidence::Evidence;
pub use keys::IdempotencyKey;
pub use ledger::{BackupJob, BackupRun, Verification};
pub use logins::{Attempt, Login};
pub use object_keys::{Announced, ObjectKey};
pub use objects::{Download, ObjectFacts, Objects, Upload};
pub use records::{ListRecords, RecordPage};
pub use requests::{Earlier, Remember};
pub use revisions::{ListRevisions, RevisionPage};
pub use row::RowKey;
pub use scan::{Elsewhere, Found, Kept, Pages, Reading, Seen, Segment, Table};
pub use scope::Customer;
pub use sessions::{
    Ask, Nothing, Opened, Reader, SESSION_LIFETIME, Session, USE_NOTED_EVERY, Wanted,
};
pub use standing::{BucketStanding, RECOVERY_DAYS, Recovery, TableStanding};

pub use aws_sdk_dynamodb::Client as DynamoClient;
pub use aws_sdk_s3::Client as S3Client;

/// Most items a listing returns at once. A page ends at 1 MB of them too, which stays below Lambda's
/// 6 MB even where every character is escaped twice on the way.
pub const PAGE_ITEMS_MAX: u16 = 100;

/// The names of the tables. They are configuration, because a restore gives a table a new name.
#[derive(Clone, Debug)]
pub struct Tables {
    /// Records, appendices, their revisions, and the answers to repeated requests about them.
    pub records: String,
    /// Customers, users and their revisions.
    pub accounts: String,
    /// Who logs in with which e-mail address, and the password hash. Few functions may read it.
    pub logins: String,
    /// What passes: sessions and login attempts.
    pub sessions: String,
    /// What was erased, backed up, verified and restored. No restore puts anything here back.
    pub ledger: String,
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    dynamo: DynamoClient,
    tables: Arc<Tables>,
}

impl Store {
    pub fn new(dynamo: DynamoClient, tables: Tables) -> Self {
        Self { dynamo, tables: Arc::new(tables) }
    }

    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The same database with other tables: restored ones.
    #[must_use]
    pub fn with_tables(&self, tables: Tables) -> Self {
        Self::new(self.dynamo.clone(), tables)
    }
}
