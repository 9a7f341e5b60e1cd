//! Records: service orders, deviations, inspections, and whatever else a customer keeps.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::form::{Form, Refusal};
use crate::text::{Name, NumberPrefix};
use crate::{
    Date, Fields, FromStored, RecordId, RecordTitle, RecordType, Timestamp, UserId, Version, stored,
};

/// Who does something together fits one room.
pub const ASSIGNEES_MAX: usize = 20;

/// What a person writes in a record, in the form that it is stored in. Who wrote it and when is in its
/// revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "RecordContent"))]
pub struct Record {
    #[serde(rename = "type", deserialize_with = "stored")]
    pub record_type: RecordType,
    #[serde(deserialize_with = "stored")]
    pub title: RecordTitle,
    #[serde(default, deserialize_with = "stored")]
    pub fields: Fields,
    /// The version of the type's form that it is written under. Without it, its fields are free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub type_version: Option<Version>,
    /// What people call it: DEV-1042. It is given once, and no other record of the type has it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "stored")]
    pub number: Option<RecordNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "stored")]
    pub state: Option<Name>,
    /// Whether there is work left in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
    /// When the work on it ended: since then it is in a state that is not open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Who is to work on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assignees: Vec<UserId>,
    /// By when.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "stored")]
    pub due: Option<Date>,
    /// The record that it is about, such as a machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<RecordId>,
}

impl Record {
    /// When the work on a record ends that comes from `before` to be open or not: where it had ended before, it was then.
    pub fn closed_at(
        open: Option<bool>,
        before: Option<&Self>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let was_closed = before.filter(|it| it.open == Some(false));
        (open == Some(false)).then(|| was_closed.map_or(Some(now), |it| it.closed_at)).flatten()
    }
}

/// What people call a record: DEV-1042.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordNumber(String);

impl RecordNumber {
    pub fn new(prefix: &NumberPrefix, number: u64) -> Self {
        Self(format!("{prefix}-{number}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number without what stands before it.
    pub fn count(&self) -> Option<u64> {
        self.0.rsplit_once('-')?.1.parse().ok()
    }
}

impl FromStored for RecordNumber {
    type Form = String;

    fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for RecordNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A member of a change: what is left out stays as it is, so that a client that does not know it takes nothing away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Given<T> {
    #[default]
    Absent,
    /// Null: it is taken away.
    Cleared,
    Value(T),
}

impl<T> Given<T> {
    /// What it is after the change.
    pub fn or(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Absent => before,
            Self::Cleared => None,
            Self::Value(value) => Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Cleared, Self::Value))
    }
}

/// What somebody wants a record to be.
pub struct Draft {
    pub record_type: RecordType,
    pub title: RecordTitle,
    pub fields: Fields,
    pub state: Given<Name>,
    pub assignees: Given<Vec<UserId>>,
    pub due: Given<Date>,
    pub about: Given<RecordId>,
}

impl Draft {
    /// The record that it makes, of the one there was `before` and under a version of its type's form.
    ///
    /// # Errors
    /// All that breaks a rule.
    pub fn record(
        self,
        id: RecordId,
        before: Option<&Record>,
        form: Option<(Version, &Form)>,
        now: Timestamp,
    ) -> Result<Record, Vec<Refusal>> {
        let mut refusals = Vec::new();
        // Numbers, states and fields are those of a type.
        let has_form = form.is_some() || before.is_some_and(|it| it.type_version.is_some());
        if has_form && before.is_some_and(|it| it.record_type != self.record_type) {
            refusals.push(Refusal::new("/type", "stays"));
            return Err(refusals);
        }
        let (state, open) = match form {
            Some((_, form)) => next_state(self.state, before, form, &mut refusals),
            None => {
                if matches!(self.state, Given::Value(_)) {
                    refusals.push(Refusal::new("/state", "no_form"));
                }
                (None, None)
            }
        };
        if let Some((_, form)) = form {
            let complete = open != Some(true);
            let fields_before = before.map(|it| it.fields.as_map());
            refusals.extend(form.check(self.fields.as_map(), fields_before, complete));
        }
        let assignees =
            self.assignees.or(before.map(|it| it.assignees.clone())).unwrap_or_default();
        check_assignees(&assignees, &mut refusals);
        let about = self.about.or(before.and_then(|it| it.about));
        if about == Some(id) {
            refusals.push(Refusal::new("/about", "itself"));
        }
        if !refusals.is_empty() {
            return Err(refusals);
        }
        Ok(Record {
            record_type: self.record_type,
            title: self.title,
            fields: self.fields,
            type_version: form.map(|(version, _)| version),
            number: before.and_then(|it| it.number.clone()),
            state,
            open,
            closed_at: Record::closed_at(open, before, now),
            assignees,
            due: self.due.or(before.and_then(|it| it.due.clone())),
            about,
        })
    }
}

/// The state after a change, and whether it is an open one. A new record may begin in any: a phone may have done the
/// work before it could tell.
fn next_state(
    given: Given<Name>,
    before: Option<&Record>,
    form: &Form,
    refusals: &mut Vec<Refusal>,
) -> (Option<Name>, Option<bool>) {
    let was = before.and_then(|it| it.state.clone());
    // Nothing is without a state where there are some.
    let given = if given == Given::Cleared { Given::Absent } else { given };
    let wanted = given.or(was.clone()).or_else(|| form.first_state().map(|it| it.name.clone()));
    let Some(wanted) = wanted else { return (None, None) };
    let Some(state) = form.state(wanted.as_str()) else {
        // A form without states takes a state away that an earlier one had.
        if form.states.is_empty() && was.as_ref() == Some(&wanted) {
            return (None, None);
        }
        refusals.push(Refusal::new("/state", "no_state"));
        return (None, None);
    };
    if let Some(was) = was.filter(|was| *was != wanted) {
        // From a state that this form does not have, every way is open.
        let before = form.state(was.as_str());
        if before.is_some_and(|before| !before.next.contains(&wanted)) {
            refusals.push(Refusal::new("/state", "no_transition").with("from", was.as_str()));
        }
    }
    (Some(wanted), Some(state.open))
}

fn check_assignees(assignees: &[UserId], refusals: &mut Vec<Refusal>) {
    if assignees.len() > ASSIGNEES_MAX {
        refusals.push(Refusal::new("/assignees", "too_many").with("max", ASSIGNEES_MAX));
    }
    for (at, who) in assignees.iter().enumerate().take(ASSIGNEES_MAX) {
        if assignees[..at].contains(who) {
            refusals.push(Refusal::new(format!("/assignees/{at}"), "duplicate"));
        }
    }
}
