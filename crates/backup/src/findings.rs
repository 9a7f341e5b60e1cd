//! What is wrong with a copy. All of it is counted; nothing that is found ends the search.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

/// So many are listed with their keys; more are counted.
const LISTED_MAX: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Was there before the cut, and is not in the copy.
    Missing,
    /// A thing stands at an earlier revision than its newest one from before the cut.
    Older,
    /// Is not what was written.
    Altered,
    /// Says that it is from before the cut, and was not there.
    Extra,
    /// An appendix version without its bytes.
    Dangling,
    /// Other bytes than were declared.
    AlteredAppendix,
    /// Bytes that no appendix version claims.
    Orphan,
    /// The service itself does not hold what it held at the cut, so that it cannot be said what the copy
    /// should have here; or not what the copy has that is younger.
    Diverged,
    /// Is not what was written, and neither is it in use: the copy is true to that. No fault of the
    /// backup's, but an alarm all the same.
    DamagedInUse,
    /// What was there an evening before is not there any more, is another, or there is more from before
    /// that evening: which, the sums do not say.
    Discontinued,
    /// Was there an evening before, and is not there any more.
    Vanished,
    /// Says that it is from before an evening, and was not there then.
    Backdated,
    /// A revision between two others, or before one, is gone.
    Gap,
    /// Was erased, and is there again.
    Unerased,
    /// Was erased, and the ledger does not say so.
    Unledgered,
    /// An earlier manifest is not what it was, is gone, or is no run's.
    Evidence,
    /// A half of a change that was under way when the copy was taken. No fault: it is younger than
    /// the cut.
    Torn,
}

impl Cause {
    /// As it is written in reports.
    fn name(self) -> String {
        let name = serde_json::to_value(self).expect("causes become JSON");
        name.as_str().unwrap_or_default().to_owned()
    }

    /// Whether a backup may have such things.
    pub const fn is_tolerated(self) -> bool {
        matches!(self, Self::Torn | Self::DamagedInUse)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub cause: Cause,
    /// Of the item or object.
    pub key: String,
    pub what: String,
}

impl Finding {
    /// It says of many items that something is wrong with one of them, and not which.
    fn is_of_a_sum(&self) -> bool {
        let part = self.key.contains(", part ") || self.key.starts_with("bucket ");
        self.cause == Cause::Discontinued || part
    }

    fn name(&self) -> String {
        format!("{} {}", self.cause.name(), self.key)
    }
}

/// How many of each cause, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    pub counts: BTreeMap<Cause, u64>,
    pub listed: Vec<Finding>,
}

impl Findings {
    pub fn note(&mut self, cause: Cause, key: impl ToString, what: impl Into<String>) {
        *self.counts.entry(cause).or_default() += 1;
        if self.listed.len() < LISTED_MAX {
            self.listed.push(Finding { cause, key: key.to_string(), what: what.into() });
        }
    }

    pub fn merge(&mut self, other: Self) {
        for (cause, count) in other.counts {
            *self.counts.entry(cause).or_default() += count;
        }
        let room = LISTED_MAX - self.listed.len();
        self.listed.extend(other.listed.into_iter().take(room));
    }

    /// How many are faults.
    pub fn faults(&self) -> u64 {
        self.counts.iter().filter(|(cause, _)| !cause.is_tolerated()).map(|(_, count)| count).sum()
    }

    /// Whether nothing was found that a sum of what lasts could differ by.
    pub fn explain_nothing(&self) -> bool {
        self.counts.keys().all(|cause| *cause == Cause::Torn)
    }

    /// What those listed are called that would be found again by their keys, where somebody accepts them.
    /// A sum that differed is none of them: another figure is gone on from, and no later loss is forgiven.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.listed.iter().filter(|it| !it.is_of_a_sum()).map(Finding::name)
    }

    /// Leaves out what somebody has accepted.
    pub fn accept(&mut self, accepted: &HashSet<&str>) {
        let (out, listed) = std::mem::take(&mut self.listed)
            .into_iter()
            .partition(|it: &Finding| accepted.contains(it.name().as_str()));
        self.listed = listed;
        for Finding { cause, .. } in out as Vec<Finding> {
            if let Some(count) = self.counts.get_mut(&cause) {
                *count -= 1;
            }
        }
        self.counts.retain(|_, count| *count > 0);
    }

    /// In few words: `2 missing, 1 altered: KEY, KEY, KEY`.
    pub fn in_short(&self) -> String {
        let count =
            |(cause, count): (&Cause, &u64)| format!("{count} {}", cause.name().replace('_', " "));
        let counts: Vec<String> = self.counts.iter().map(count).collect();
        let keys: Vec<&str> = self.listed.iter().take(3).map(|it| it.key.as_str()).collect();
        format!("{}: {}", counts.join(", "), keys.join(", "))
    }
}
