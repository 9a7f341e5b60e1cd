//! How the policy stands, as functions note it and anyone reads it.

use std::collections::BTreeMap;
use std::time::Duration;

use backup::{Cause, Findings};
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The newest backup of which everything was restored and found as it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VerifiedBackup {
    /// When the run was scheduled.
    pub run: Timestamp,
    /// Everything committed before is in it.
    pub cut: Timestamp,
    pub verified_at: Timestamp,
    pub revisions: u64,
    pub appendices: u64,
    /// The sum of all digests, as the manifest has it.
    pub digest: String,
    /// How many items or objects were looked at, of each table and bucket.
    pub checked: BTreeMap<String, u64>,
}

/// One is verified each day; six hours more: AWS may start a restore test an hour late, and take hours for it.
pub const VERIFIED_WITHIN: Duration = Duration::from_secs(30 * 60 * 60);

impl VerifiedBackup {
    pub const NAME: &str = "verified-backup";
}

/// A week, an hour until a test starts, and as long as it may take.
pub const RESTORED_WEEKLY_WITHIN: Duration = Duration::from_secs((7 * 24 + 30) * 60 * 60);

/// What the audit's looks at these are called.
pub const WEEKLY_RESTORE: &str = "weekly restore of ";

/// When something was restored and verified last that is so once a week; before the first time, since when it is
/// waited for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct WeeklyRestore {
    pub since: Timestamp,
}

impl WeeklyRestore {
    pub fn name(resource: &str) -> String {
        format!("weekly-restore-of-{resource}")
    }
}

/// Whether each evening has all that the evenings before had.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Chain {
    pub holds: bool,
    /// From this cut on, nothing has vanished and nothing was altered; where it does not hold, until the
    /// last evening that was whole. Absent where nothing says since when.
    pub since: Option<Timestamp>,
    /// The evening that says so.
    pub run: Timestamp,
    /// The cut of the first evening at which it did not hold, until somebody has acknowledged that.
    pub broken_at: Option<Timestamp>,
    /// What is not there any more: nobody's business but the operator's.
    pub findings: Findings,
    /// The tables in which what is gone is being named.
    #[serde(default)]
    pub traced: Vec<String>,
}

impl Chain {
    pub const NAME: &str = "chain";

    /// The chain of the first evening.
    pub fn beginning_with(run: Timestamp) -> Self {
        let (findings, traced) = (Findings::default(), Vec::new());
        Self { holds: true, since: None, run, broken_at: None, findings, traced }
    }

    /// Since when it holds that goes on from the evening with this cut.
    pub fn since_of(&self, base: Timestamp) -> Option<Timestamp> {
        let acknowledged = self.broken_at.is_some_and(|broken| base >= broken);
        if acknowledged { Some(base) } else { self.since }
    }

    /// Whether what was erased is so by the ledger, and the other way round.
    pub fn erasures_hold(&self) -> bool {
        let found = |cause| self.findings.counts.contains_key(&cause);
        !found(Cause::Unerased) && !found(Cause::Unledgered)
    }
}

/// What the newest restore test found of one resource in use, by the manifest of its evening. It stays so until
/// another test finds it otherwise, or somebody has acknowledged it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InUse {
    pub run: Timestamp,
    pub findings: Findings,
}

impl InUse {
    pub const PREFIX: &str = "in-use-";

    pub fn name(resource: &str) -> String {
        format!("{}{resource}", Self::PREFIX)
    }

    pub fn is_whole(&self) -> bool {
        self.findings.faults() == 0
    }
}

/// What the hourly look at the stack found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Audit {
    /// By name: whether it is as promised, and what it is.
    pub checks: BTreeMap<String, Check>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub holds: bool,
    pub found: String,
}

impl Audit {
    pub const NAME: &str = "audit";

    pub fn note(&mut self, name: impl Into<String>, holds: bool, found: impl Into<String>) {
        self.checks.insert(name.into(), Check { holds, found: found.into() });
    }

    /// The names of what does not hold, with what was found.
    pub fn broken(&self) -> Vec<String> {
        let broken = self.checks.iter().filter(|(_, check)| !check.holds);
        broken.map(|(name, check)| format!("{name}: {}", check.found)).collect()
    }
}

/// A restore of the service, as anyone may know of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RestoreView {
    /// The moment that everything was restored to.
    pub to: Timestamp,
    pub reason: RestoreReason,
    pub state: RestoreState,
}

/// Why a service may be restored: to keep it running, and for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestoreReason {
    /// A table or its content is lost.
    DataLost,
    /// Data was damaged, by a fault of ours or of AWS's.
    DataDamaged,
    /// A release has written what it should not have.
    FaultyRelease,
    /// Somebody got in.
    Intrusion,
    /// To see that it can be done.
    Drill,
    /// Is refused: the policy says so.
    CustomerErased,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestoreState {
    /// AWS is filling the new tables.
    Filling,
    /// The new tables are protected, and every change in them is whole.
    Mended,
    /// What was erased is erased again in them.
    Erased,
    /// Every appendix version has its bytes.
    Attached,
    /// Verified: the service can be switched to the new tables.
    Ready,
    /// The service runs on them.
    Done,
    Abandoned,
}

/// How the crash data of resolved issues goes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CrashData {
    /// Whether anybody may ask and delete.
    #[serde(default)]
    pub configured: bool,
    /// When Sentry last told all issues that are resolved.
    pub asked_at: Option<Timestamp>,
    pub last_deletion: Option<Timestamp>,
    /// Issues whose crashes were deleted, ever.
    pub deleted: u64,
    /// Since when the crashes of some resolved issue are still there.
    pub resolved_since: Option<Timestamp>,
    /// Crashes of devices that Sentry has not taken yet.
    pub waiting: u64,
    /// What a later release notes here too.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// They are deleted each hour; an outage of Sentry's may last.
pub const DELETED_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

impl CrashData {
    pub const NAME: &str = "crash-data";

    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.resolved_since.is_some_and(|since| now.since(since) > DELETED_WITHIN)
    }
}
