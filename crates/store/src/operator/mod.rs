//! What someone may do who looks after all of the service, whoever's the things are: read everything, from
//! the tables in use or from restored copies; note in the ledger what was backed up, verified and
//! restored; put protections back; complete and erase again after a restore. No request leads here.

mod bucket;
mod crashes;
mod customers;
mod daily;
mod erasures;
mod evidence;
mod forgotten;
mod index;
mod ledger;
mod mend;
mod notices;
mod protection;
mod restores;
mod scan;
mod scanned;
mod sweep;

pub use bucket::{Bucket, BucketState, ObjectPage, StoredObject};
pub use crashes::{Deletion, WaitingCrashes};
pub use customers::CustomerRow;
pub use daily::{Subscriber, Told, Unread};
pub use evidence::Evidence;
pub use forgotten::{ForgetError, Forgotten, Person, Redaction};
pub use ledger::{BackupJob, BackupRun, Link, LinkReason, Verification};
pub use protection::{RECOVERY_DAYS, Recovery, TableState};
pub use scan::{Pages, Reading, Segment, Table};
pub use scanned::{Counterpart, Erased, ItemFacts, ScannedItem};
pub use sweep::SWEPT_AFTER;

use crate::tables::Database;
use crate::{DynamoClient, TableKind, Tables};

/// The database, as an operator has it. Cheap to clone.
#[derive(Clone)]
pub struct Operator {
    database: Database,
}

impl Operator {
    pub fn new(dynamo: DynamoClient, tables: Tables) -> Self {
        Self { database: Database::new(dynamo, tables) }
    }

    pub fn tables(&self) -> &Tables {
        &self.database.tables
    }

    /// The same database with other tables: restored ones.
    #[must_use]
    pub fn with_tables(&self, tables: Tables) -> Self {
        Self::new(self.database.dynamo.clone(), tables)
    }

    pub fn table_name(&self, table: TableKind) -> &str {
        self.database.tables.name(table)
    }

    /// Which of our tables is called so.
    pub fn table_kind(&self, name: &str) -> Option<TableKind> {
        TableKind::ALL.into_iter().find(|table| self.table_name(*table) == name)
    }
}
