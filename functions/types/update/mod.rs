//! `PUT /v1/types/{type}?dry_run=`: changes a type of records by a new version, or says what that would mean. Admins and
//! above, with If-Match. Records stay under the version that they were written under.

use am_http::{
    Answer, ChangeRefusal, Declaration, Handle, Parameter, Problem, RequestBody, Response,
    ResponseHeader, Route, SessionRequest, StatusCode, change, etag, json, with_header,
};
use domain::{Form, Name, Role};
use lambda_http::http::header::ETAG;
use runtime::HttpFunction;
use serde::{Deserialize, Serialize};
use store::Store;
use store::tenant::TypeKey;

use crate::shapes::TypeView;
use crate::types::{definition, name};

/// What a type is to be from now on.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "TypeUpdate"))]
#[serde(deny_unknown_fields)]
struct Body {
    form: Form,
}

/// What a change of a type would mean, or has meant.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "TypeChange"))]
struct Changed {
    /// As it is now; without a change, where it was only asked for.
    #[serde(flatten)]
    type_: TypeView,
    effect: Effect,
}

/// What a change does to the records there are.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "TypeEffect"))]
struct Effect {
    /// How many records of the type there are. They stay as they are, under the form that they were written under.
    records: u64,
    /// Whether there are more than were counted.
    more_records: bool,
    /// Fields that are not shown any more where a record takes the new form. Their values stay.
    fields_out_of_sight: Vec<Name>,
    /// Fields whose values may not fit any more where a record takes the new form.
    fields_of_another_kind: Vec<Name>,
    /// States that records may be in and that the new form has not.
    states_gone: Vec<Name>,
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "update-type",
        routes: &[Route::put("/v1/types/{type}")],
        summary: "Changes a type of records, or says what that would mean",
        parameters: &[
            Parameter::RECORD_TYPE,
            Parameter::query::<bool>("dry_run", "Whether only to say what it would mean."),
            Parameter::IF_MATCH,
        ],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<Changed>(StatusCode::OK, "The type, and what the change means.")
            .with(&[ResponseHeader::ETAG])],
        problems: &[],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Admin,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    change(|| update(store, request)).await
}

async fn update(store: &Store, request: SessionRequest<'_>) -> Result<Response, ChangeRefusal> {
    let name = name(&request)?;
    let dry_run = request.query("dry_run")?.unwrap_or(false);
    let opened = request.open(store, TypeKey(name.clone())).await?;
    let seen = request.if_match()?;
    let Body { form } = request.json()?;
    let (session, current) = (&opened.session, opened.found.existing()?);
    if !seen.admits(current.version) {
        return Err(Problem::stale(current.version).into());
    }
    let definition = definition(form)?;
    let counted = store.count_records(session, &name).await.map_err(Problem::from)?;
    let (before, after) = (current.content.form(), definition.form());
    let now = |name: &Name| after.fields.iter().find(|it| it.name == *name);
    let fields = || before.fields.iter();
    let effect = Effect {
        records: counted.records,
        more_records: counted.more,
        fields_out_of_sight: fields()
            .filter(|it| now(&it.name).is_none())
            .map(|it| it.name.clone())
            .collect(),
        fields_of_another_kind: fields()
            .filter(|it| now(&it.name).is_some_and(|now| now.kind != it.kind))
            .map(|it| it.name.clone())
            .collect(),
        states_gone: before
            .states
            .iter()
            .filter(|it| after.state(it.name.as_str()).is_none())
            .map(|it| it.name.clone())
            .collect(),
    };
    let answer = |type_: TypeView| {
        let version = type_.version;
        let answer = json(StatusCode::OK, &Changed { type_, effect });
        with_header(answer, ETAG, &etag(version))
    };
    if dry_run {
        return Ok(answer(TypeView::new(name, &current)));
    }
    let changed = current.changed(definition, session.user, request.now());
    store.define_type(session, &name, &changed, None).await?;
    Ok(answer(TypeView::new(name, &changed)))
}
