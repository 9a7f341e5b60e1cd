//! What somebody wants a record to be, held against its type.

use am_http::Problem;
use domain::{
    Date, Definition, Draft, Fields, Given, Name, Record, RecordId, RecordTitle, RecordType,
    Refusal, Revision, Timestamp, UserId, Version,
};
use serde::Deserialize;
use store::Store;
use store::tenant::{Lookup, PinnedTypeKey, Session, TypeKey, Users};

/// All that a record is to be from now on. What is left out below `fields` stays as it is, so that a client that does
/// not know it takes nothing away. Null clears `assignees`, `due` and `about`.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "RecordUpdate"))]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    #[serde(rename = "type")]
    pub record_type: RecordType,
    pub title: RecordTitle,
    /// Left out, there are none.
    #[serde(default)]
    pub fields: Fields,
    /// The version of the type's form that it is written under. Left out, a record keeps its own.
    pub type_version: Option<Version>,
    /// A state that may follow the one before. A new record may be in any; left out, it begins in the first.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<Name>"))]
    pub state: Given<Name>,
    /// People of the company, by their ids: 20 at most.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<Vec<UserId>>"))]
    pub assignees: Given<Vec<UserId>>,
    /// By when it is to be done.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<Date>"))]
    pub due: Given<Date>,
    /// The record that it is about, such as a machine.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<RecordId>"))]
    pub about: Given<RecordId>,
}

/// What is read to hold a record against: its type as it is now, as it was at a version that is named, and who of those
/// it is assigned to belongs to the company.
pub type Beside = (Option<TypeKey>, Option<PinnedTypeKey>, Users);

/// What was found of that.
pub type FoundBeside = (Option<Lookup<Definition>>, Option<Lookup<Definition>>, Vec<UserId>);

impl Wanted {
    pub fn beside(&self) -> Beside {
        let record_type = || self.record_type.clone();
        let pinned = self.type_version.map(|version| PinnedTypeKey(record_type(), version));
        let assignees = match &self.assignees {
            // Too many are refused, whoever they are.
            Given::Value(ids) => ids.iter().copied().take(domain::record::ASSIGNEES_MAX).collect(),
            Given::Absent | Given::Cleared => Vec::new(),
        };
        (Some(TypeKey(record_type())), pinned, Users(assignees))
    }

    /// The record that it makes. Beside it stands the newest form of its type, which new numbers go by.
    ///
    /// # Errors
    /// 422, with all that breaks a rule.
    pub async fn record(
        self,
        store: &Store,
        session: &Session,
        id: RecordId,
        before: Option<&Record>,
        (newest, pinned, people): FoundBeside,
        now: Timestamp,
    ) -> Result<(Record, Option<Revision<Definition>>), Problem> {
        let newest = newest.and_then(|it| it.existing().ok());
        let named = self.type_version.is_some();
        let own = before.filter(|it| it.record_type == self.record_type);
        let form = match (named, own, &newest) {
            (true, ..) => {
                let pinned = pinned.and_then(|it| it.existing().ok());
                let unknown = || Problem::refused(&[Refusal::new("/type_version", "no_version")]);
                let pinned = pinned.ok_or_else(unknown)?;
                if own.is_none() && pinned.content.form().retired {
                    return Err(Problem::refused(&[Refusal::new("/type", "retired")]));
                }
                Some(pinned)
            }
            (false, Some(own), newest) => match (own.type_version, newest) {
                // Written when its type had no definition: its fields stay free.
                (None, _) => None,
                (Some(version), Some(newest)) if newest.version == version => Some(newest.clone()),
                (Some(version), _) => {
                    let key = PinnedTypeKey(self.record_type.clone(), version);
                    let form = store.read(session, key).await?.existing();
                    // Free fields in its place would take the state away, and let anything in.
                    Some(form.map_err(|_| Problem::internal("the form of a record is missing"))?)
                }
            },
            (false, None, Some(newest)) if newest.content.form().retired => {
                return Err(Problem::refused(&[Refusal::new("/type", "retired")]));
            }
            (false, None, newest) => newest.clone(),
        };
        let known = before.map(|it| it.assignees.as_slice()).unwrap_or_default();
        let mut refusals = nobody(&self.assignees, known, &people);
        let Self { record_type, title, fields, state, assignees, due, about, .. } = self;
        let draft = Draft { record_type, title, fields, state, assignees, due, about };
        let form = form.as_ref().map(|it| (it.version, it.content.form()));
        match draft.record(id, before, form, now) {
            Ok(record) if refusals.is_empty() => Ok((record, newest)),
            Ok(_) => Err(Problem::refused(&refusals)),
            Err(more) => {
                refusals.splice(0..0, more);
                Err(Problem::refused(&refusals))
            }
        }
    }
}

/// Those who are assigned now and belong nowhere here. Who was before may have left since.
fn nobody(assignees: &Given<Vec<UserId>>, known: &[UserId], people: &[UserId]) -> Vec<Refusal> {
    let Given::Value(assignees) = assignees else { return Vec::new() };
    let assignees = assignees.iter().enumerate().take(domain::record::ASSIGNEES_MAX);
    assignees
        .filter(|(_, who)| !known.contains(who) && !people.contains(who))
        .map(|(at, _)| Refusal::new(format!("/assignees/{at}"), "nobody"))
        .collect()
}
