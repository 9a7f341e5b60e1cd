//! `PATCH /v1/records/{record_id}`: changes some of a record, by an RFC 7396 merge patch. Members and above. If-Match
//! names the version that the client saw, so that nobody's change is overwritten unseen.

use am_http::{
    Answer, ChangeRefusal, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response,
    ResponseHeader, Route, SessionRequest, StatusCode, change, parse,
};
use domain::merge_patch::{MergePatch, merge};
use domain::{
    Date, Fields, Given, Name, Record, RecordId, RecordTitle, RecordType, Role, UserId, Version,
};
use runtime::HttpFunction;
use serde::Deserialize;
use serde_json::Value;
use store::Store;
use store::tenant::{AnswerKey, ReadersOf, RecordKey};

use crate::records::draft::Wanted;
use crate::records::{changed, replace, stale};
use crate::shapes::RecordView;

/// What a patch may name: the members of a replacement, of which none is required.
struct RecordPatch;

#[cfg(feature = "openapi")]
impl schemars::JsonSchema for RecordPatch {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RecordPatch".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = Wanted::json_schema(generator);
        schema.remove("required");
        schema.insert("description".into(), "What is to change (RFC 7396).".into());
        schema
    }
}

pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    declaration: Declaration {
        name: "patch-record",
        routes: &[Route::patch("/v1/records/{record_id}")],
        summary: "Changes some members of a record",
        parameters: &[
            Parameter::RECORD_ID,
            Parameter::IF_MATCH,
            Parameter::IDEMPOTENCY_KEY_OF_A_CHANGE,
        ],
        body: RequestBody::json::<RecordPatch>(),
        answers: &[Answer::json::<RecordView>(StatusCode::OK, "The record as it is now.")
            .with(&[ResponseHeader::ETAG])],
        problems: &[],
    },
    build: |env| env.store(),
    handle: Handle::Session(
        Role::Member,
        |store| store,
        |store, request| Box::pin(handle(store, request)),
    ),
};

async fn handle(store: &Store, request: SessionRequest<'_>) -> Result<Response, Problem> {
    change(|| patch(store, request)).await
}

async fn patch(store: &Store, request: SessionRequest<'_>) -> Result<Response, ChangeRefusal> {
    let id: RecordId = request.path("record_id")?;
    let once = Once::where_named(&request)?;
    let earlier = once.as_ref().map(|once| AnswerKey(once.key()));
    let opened = request.open(store, (RecordKey(id), earlier, ReadersOf(id))).await?;
    let (found, earlier, readers) = opened.found;
    if let Some(view) = Once::earlier_answer(once.as_ref(), earlier)? {
        return Ok(changed(&view));
    }
    let (seen, patch) = (request.if_match()?, request.merge_patch()?);
    let (session, current) = (&opened.session, found.existing()?);
    if !seen.admits(current.version) {
        return Err(stale(id, &current).into());
    }
    let wanted = patched(&current.content, &patch)?;
    let beside = store.read(session, wanted.beside()).await.map_err(Problem::from)?;
    let (before, now) = (Some(&current.content), request.now());
    let (record, _) = wanted.record(store, session, id, before, beside, now).await?;
    let next = current.changed(record, session.user, now);
    replace(store, session, id, &current, &next, once.as_ref(), &readers).await
}

/// The members that a patch may name, each as it is to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    #[serde(rename = "type", default)]
    record_type: Given<RecordType>,
    #[serde(default)]
    title: Given<RecordTitle>,
    #[serde(default)]
    fields: Given<Fields>,
    type_version: Option<Version>,
    #[serde(default)]
    state: Given<Name>,
    #[serde(default)]
    assignees: Given<Vec<UserId>>,
    #[serde(default)]
    due: Given<Date>,
    #[serde(default)]
    about: Given<RecordId>,
}

/// What the record is to be. What the patch does not name is as it was stored, and held against no rule of today.
fn patched(current: &Record, patch: &MergePatch) -> Result<Wanted, Problem> {
    let mut named = patch.members().clone();
    if let Some(Value::Object(changes)) = named.get("fields") {
        let mut fields = current.fields.as_map().clone();
        merge(&mut fields, changes);
        named.insert("fields".to_owned(), Value::Object(fields));
    }
    let named: Named = parse(Value::Object(named).to_string().as_bytes())?;
    let Named { record_type, title, fields, type_version, state, assignees, due, about } = named;
    let null = |member: &str| Problem::invalid(format!("/{member}"), "must not be null");
    let record_type =
        record_type.or(Some(current.record_type.clone())).ok_or_else(|| null("type"))?;
    let title = title.or(Some(current.title.clone())).ok_or_else(|| null("title"))?;
    let fields = fields.or(Some(current.fields.clone())).unwrap_or_default();
    Ok(Wanted { record_type, title, fields, type_version, state, assignees, due, about })
}
