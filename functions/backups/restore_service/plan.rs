//! What is to be restored to what, and how far that has come.

use std::collections::BTreeMap;
use std::time::Duration;

use backup::{Dangling, Findings};
use domain::Timestamp;
use runtime::EventError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{Restoration, TableKind, Tables};

use super::{Context, Outcome};
use crate::shapes::{RestoreReason, RestoreState, RestoreView};

/// How tables are called: as CloudFormation named them, and with a suffix once restored.
#[derive(Clone, Debug)]
pub struct Names {
    /// The suffix of those in use, or nothing.
    pub restored_as: String,
}

impl Names {
    fn restored(&self, in_use: &str, suffix: &str) -> String {
        let base = match self.restored_as.as_str() {
            "" => in_use,
            now => in_use.strip_suffix(&format!("-{now}")).unwrap_or(in_use),
        };
        format!("{base}-{suffix}")
    }
}

/// A restore, as the ledger has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Restore {
    pub opened_at: Timestamp,
    /// How often this was noted.
    pub turn: u64,
    pub to: Timestamp,
    pub reason: RestoreReason,
    pub state: RestoreState,
    /// What the new tables end in, and what the stack's parameter `RestoredAs` is to be.
    pub restored_as: String,
    /// New tables by what they hold.
    pub tables: BTreeMap<String, String>,
    /// From when to when each table can be restored.
    pub window: (Timestamp, Timestamp),
    pub estimate: String,
    /// Changes that were cut in two, and were completed.
    pub mended: u64,
    /// Things that were erased again.
    pub erased_again: u64,
    /// The copy of the bucket that lost bytes come from, and the job that makes it.
    pub bucket_copy: Option<(String, String)>,
    /// How many such copies were started.
    pub bucket_copies: u32,
    pub dangling: Dangling,
    /// The run that the new tables were held against.
    pub verified_against: Option<Timestamp>,
    pub findings: Findings,
    /// Objects that came later, and were set aside.
    pub set_aside: u64,
    /// Among how many functions the step is shared out that it stands at.
    #[serde(default)]
    pub shared: Option<u32>,
    /// What a later release notes here too.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// The tables that a restore makes anew.
pub fn new_tables() -> impl Iterator<Item = TableKind> {
    let is_new = |kind: &TableKind| {
        matches!(kind.restoration(), Restoration::FromThePast | Restoration::Empty)
    };
    TableKind::ALL.into_iter().filter(is_new)
}

/// Plans a restore, and refuses one that cannot be.
pub async fn plan(
    context: &Context,
    to: Timestamp,
    reason: RestoreReason,
    earlier: &[Restore],
    now: Timestamp,
) -> Result<Restore, EventError> {
    if to.millis() % 1000 != 0 {
        return Err(
            format!("to is {to}, and must be a whole second: DynamoDB knows no finer").into()
        );
    }
    let (mut earliest, mut latest) = (Timestamp::from_millis(0), now);
    for kind in TableKind::all_from_the_past() {
        let table = context.backups.operator.table_name(kind);
        let state = context.backups.operator.table_state(table).await?;
        let state = state.ok_or_else(|| {
            format!("{table} is gone: restore it from its newest recovery point, by hand")
        })?;
        let recovery = state.recovery.ok_or_else(|| format!("{table} has no recovery"))?;
        earliest = earliest.max(recovery.earliest);
        latest = latest.min(recovery.latest);
    }
    if to < earliest || to > latest {
        return Err(format!("to is {to}, and must be from {earliest} to {latest}").into());
    }
    // No two restores have the same tables, however soon one follows the other.
    let seconds = (0..).map(|seconds| suffix(now.after(Duration::from_secs(seconds))));
    let is_new = |suffix: &String| earlier.iter().all(|it| it.restored_as != *suffix);
    let restored_as = seconds.into_iter().find(is_new).unwrap_or_default();
    let name = |kind: TableKind| {
        let in_use = context.backups.operator.table_name(kind);
        (kind.name().to_owned(), context.names.restored(in_use, &restored_as))
    };
    let tables = new_tables().map(name).collect();
    Ok(Restore {
        opened_at: now,
        turn: 0,
        to,
        reason,
        state: RestoreState::Filling,
        tables,
        window: (earliest, latest),
        estimate: "AWS fills a table in less than an hour as a rule; then everything is read \
                   three times"
            .to_owned(),
        mended: 0,
        erased_again: 0,
        bucket_copy: None,
        bucket_copies: 0,
        dangling: Dangling::default(),
        verified_against: None,
        findings: Findings::default(),
        set_aside: 0,
        shared: None,
        unknown: Map::new(),
        restored_as,
    })
}

/// The time of opening, in letters that a table's name may have: `20261124T170700Z`.
fn suffix(now: Timestamp) -> String {
    let text = now.to_string();
    let seconds = text.split('.').next().unwrap_or_default();
    format!("{}Z", seconds.replace(['-', ':'], ""))
}

impl Restore {
    /// The names of the restored tables, with the ledger in use.
    pub fn restored_tables(&self, in_use: &Tables) -> Tables {
        let name = |kind: TableKind| match kind.restoration() {
            Restoration::FromThePast | Restoration::Empty => self.tables[kind.name()].clone(),
            Restoration::Rebuilt | Restoration::None => in_use.name(kind).to_owned(),
        };
        Tables {
            records: name(TableKind::Records),
            accounts: name(TableKind::Accounts),
            logins: name(TableKind::Logins),
            sessions: name(TableKind::Sessions),
            ledger: name(TableKind::Ledger),
            index: name(TableKind::Index),
            restored_as: self.restored_as.clone(),
        }
    }

    /// The same, where there was one to the same moment before.
    pub fn after(self, earlier: Option<&Self>) -> Self {
        Self { turn: earlier.map_or(0, |it| it.turn), ..self }
    }

    /// Has the step that it stands at done by so many functions, which then may begin.
    pub async fn share(
        &mut self,
        context: &Context,
        segments: Option<u32>,
    ) -> Result<(), EventError> {
        if self.shared == segments {
            return Ok(());
        }
        self.shared = segments;
        self.write(context).await
    }

    /// Notes how far this has come, unless another call has gone on meanwhile.
    pub async fn note(&mut self, context: &Context) -> Result<(), EventError> {
        self.shared = None;
        self.write(context).await
    }

    async fn write(&mut self, context: &Context) -> Result<(), EventError> {
        self.turn += 1;
        let view = RestoreView { to: self.to, reason: self.reason, state: self.state };
        let operator = &context.backups.operator;
        if operator.note_restore(self.to, self.turn, self, &view).await? {
            return Ok(());
        }
        Err("another call is at this restore: wait for it, then call again".into())
    }

    pub async fn advance(
        &mut self,
        context: &Context,
        state: RestoreState,
    ) -> Result<(), EventError> {
        self.state = state;
        self.note(context).await?;
        tracing::warn!(to = %self.to, ?state, "a restore goes on");
        Ok(())
    }

    pub fn says(self, next: &str, wait: bool) -> Outcome {
        let (state, next) = (Some(self.state), next.to_owned());
        Outcome { state, next, wait, parts: None, restore: Some(self) }
    }
}
