//! `POST /v1/records/{record_id}/appendices`: reserves an appendix and its first version, and says
//! how to upload the bytes. Members and above. The client may choose the appendix's id.

use am_http::{
    Answer, Code, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response,
    ResponseHeader, Route, SessionRequest, StatusCode, created, etag, not_stored,
};
use domain::appendix::Declared;
use domain::{
    Appendix, AppendixBytes, AppendixId, AppendixVersion, ChosenId, ContentType, Entropy, FileName,
    RecordId, Revision, Role, Sha256, VersionNumber,
};
use runtime::{HttpFunction, OsEntropy};
use serde::Deserialize;
use store::tenant::{AnswerKey, AppendixKey, RecordKey, Reservation, UsageKey};
use store::{Customer, ObjectKey, Objects, Store, Usage, WriteError};

use crate::quota;
use crate::shapes::{AppendixVersionView, AppendixView, ReservedView};

/// A file that is about to be uploaded.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "NewAppendix"))]
#[serde(deny_unknown_fields)]
struct Body {
    /// Chosen here, it lets a phone add appendices while it is offline: of when it was made, at most a day
    /// ahead of our clock.
    id: Option<ChosenId<AppendixId>>,
    name: FileName,
    content_type: ContentType,
    bytes: AppendixBytes,
    sha256: Sha256,
}

const APPENDIX_EXISTS: Code = Code::new(
    StatusCode::CONFLICT,
    "appendix_exists",
    "An appendix with this id exists already, or did.",
);

pub const FUNCTION: HttpFunction<(Store, Objects)> = HttpFunction {
    declaration: Declaration {
        name: "add-appendix",
        routes: &[Route::post("/v1/records/{record_id}/appendices")],
        summary: "Reserves an appendix and its first version, and says how to upload the bytes",
        parameters: &[Parameter::RECORD_ID, Parameter::IDEMPOTENCY_KEY],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<ReservedView>(StatusCode::CREATED, "Reserved.")
            .with(&[ResponseHeader::LOCATION, ResponseHeader::ETAG])],
        problems: &[APPENDIX_EXISTS, Code::QUOTA_EXCEEDED],
    },
    build: |env| Ok((env.store()?, env.objects()?)),
    handle: Handle::Session(
        Role::Member,
        |(store, _)| store,
        |(store, objects), request| Box::pin(handle(store, objects, &OsEntropy, request)),
    ),
};

async fn handle(
    store: &Store,
    objects: &Objects,
    entropy: &dyn Entropy,
    request: SessionRequest<'_>,
) -> Result<Response, Problem> {
    let record_id: RecordId = request.path("record_id")?;
    let once = Once::of(&request)?;
    let keys = (RecordKey(record_id), AnswerKey(once.key()), UsageKey);
    let opened = request.open(store, keys).await?;
    let (customer, user) = (opened.session.customer, opened.session.user);
    let (record, earlier, standing) = opened.found;
    record.existing()?;
    if let Some(earlier) = &earlier {
        return repeated(store, objects, request, once.answer(earlier)?).await;
    }

    let now = request.now();
    let Body { id, name, content_type, bytes, sha256 } = request.json()?;
    let id = match id {
        Some(id) => id.accept(now).map_err(|rule| Problem::invalid("/id", rule.to_string()))?,
        None => AppendixId::new(now, entropy),
    };
    let more = Usage { bytes: bytes.get(), versions: 1, ..Usage::default() };
    quota::admit(store, &opened.session, &standing, more).await?;
    let number = VersionNumber::FIRST;
    let key = ObjectKey::new(&customer, record_id, id, number);
    let appendix = Revision::first(Appendix { record_id, name, last_version: number }, user, now);
    let pending = AppendixVersion::pending(Declared { content_type, bytes, sha256 });
    let version = Revision::first(pending, user, now);
    let versions = vec![AppendixVersionView::new(number, &version)];
    let view = AppendixView::new(id, &appendix, versions);
    let remember = once.remember(&view);
    let reserved = store
        .reserve_version(&opened.session, Reservation::New, &key, &appendix, &version, &remember)
        .await;
    match reserved {
        Ok(()) => answer(objects, request, &customer, view).await,
        Err(WriteError::Repeated(earlier)) => {
            repeated(store, objects, request, once.answer(&earlier)?).await
        }
        Err(WriteError::Exists) => {
            Err(Problem::new(APPENDIX_EXISTS, "An appendix with this id exists already."))
        }
        Err(error) => Err(error.into()),
    }
}

/// The earlier answer with a fresh permission, unless the appendix was deleted since.
async fn repeated(
    store: &Store,
    objects: &Objects,
    request: SessionRequest<'_>,
    view: AppendixView,
) -> Result<Response, Problem> {
    let key = AppendixKey { record: view.record_id, appendix: view.id };
    let opened = request.open(store, key).await?;
    opened.found.existing()?;
    answer(objects, request, &opened.session.customer, view).await
}

/// The reservation and a fresh permission to upload its newest version.
pub(crate) async fn answer(
    objects: &Objects,
    request: SessionRequest<'_>,
    customer: &Customer,
    appendix: AppendixView,
) -> Result<Response, Problem> {
    let version = appendix.versions.last().ok_or_else(Problem::not_found)?;
    let key = ObjectKey::new(customer, appendix.record_id, appendix.id, version.number);
    let upload = objects.presign_upload(&key, &version.declared(), request.now()).await?.into();
    let location = format!("/v1/records/{}/appendices/{}", appendix.record_id, appendix.id);
    let etag = etag(appendix.revision);
    Ok(not_stored(created(&location, &etag, &ReservedView { appendix, upload })))
}
