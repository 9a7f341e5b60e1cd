//! Faults to order: a backup service that fails in the ways that AWS's does, so that it can be tested
//! that each is noticed.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What goes wrong with the next backup job of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It ends in this state (`FAILED`, `ABORTED`, `EXPIRED`) and makes no recovery point.
    Ends(&'static str),
    /// It completes, and holds nothing.
    Nothing,
    /// It completes, and says that something was wrong.
    Issues(&'static str),
    /// A statement of SQL on what was copied: `items` of a table (`pk`, `sk`, `item`), or `objects`
    /// of a bucket (`key`, `bytes`, `content_type`, `file`).
    Copied(String),
    /// No event tells of it, or of its copy.
    Silent,
    /// It completes, and its copy into the other vault fails.
    NotCopied,
    /// No event tells of the next restore of it.
    SilentRestore,
    /// The event comes late.
    Late(Duration),
}

/// Faults that wait for their job.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<(String, Fault)>>);

impl Faults {
    /// Lets the next backup job of a table or bucket, by its name, go wrong.
    pub fn inject(&self, resource: &str, fault: Fault) {
        self.waiting().push((resource.to_owned(), fault));
    }

    /// Those of a resource, of its backups or of its restores, which are no more waiting.
    pub(super) fn take(&self, resource: &str, of_restores: bool) -> Vec<Fault> {
        let mut waiting = self.waiting();
        let fits = |fault: &Fault| (*fault == Fault::SilentRestore) == of_restores;
        let (taken, left) =
            waiting.drain(..).partition(|(of, fault)| of == resource && fits(fault));
        *waiting = left;
        let taken: Vec<(String, Fault)> = taken;
        taken.into_iter().map(|(_, fault)| fault).collect()
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<(String, Fault)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
