//! Types of records, as a company defines them.

pub mod create;
pub mod get;
pub mod get_schema;
pub mod list;
pub mod update;

use am_http::{Parameter, Problem, SessionRequest};
use domain::{Definition, Form, RecordType, Refusal, Revision, Version};
use store::Store;
use store::tenant::{PinnedTypeKey, TypeKey};

const VERSION: Parameter =
    Parameter::query::<Version>("version", "As it was at this version. Without it, as it is now.");

/// The type that the path names. What is no name of one is unknown, like one that nobody has defined.
fn name(request: &SessionRequest<'_>) -> Result<RecordType, Problem> {
    RecordType::try_from(request.path::<String>("type")?).map_err(|_| Problem::not_found())
}

/// The type that the path names, at the version that the query names.
async fn read(
    store: &Store,
    request: &SessionRequest<'_>,
) -> Result<(RecordType, Revision<Definition>), Problem> {
    let name = name(request)?;
    let version: Option<Version> = request.query("version")?;
    let found = match version {
        Some(version) => request.open(store, PinnedTypeKey(name.clone(), version)).await?.found,
        None => request.open(store, TypeKey(name.clone())).await?.found,
    };
    Ok((name, found.existing()?))
}

/// A form that makes sense, of the member `form` of a body.
fn definition(form: Form) -> Result<Definition, Problem> {
    let below = |it: Refusal| Refusal { pointer: format!("/form{}", it.pointer), ..it };
    Definition::new(form).map_err(|refusals| {
        let refusals: Vec<Refusal> = refusals.into_iter().map(below).collect();
        Problem::refused(&refusals)
    })
}
