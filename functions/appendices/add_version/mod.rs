//! `POST /v1/records/{record_id}/appendices/{appendix_id}/versions`: reserves the next version of
//! an appendix, and says how to upload it. Members and above. Earlier versions stay.

use am_http::{
    Answer, Code, Declaration, Handle, Once, Parameter, Problem, RequestBody, Response,
    ResponseHeader, Route, SessionRequest, StatusCode,
};
use domain::appendix::Declared;
use domain::{
    Appendix, AppendixBytes, AppendixId, AppendixVersion, ContentType, RecordId, Revision, Role,
    Sha256,
};
use runtime::HttpFunction;
use serde::Deserialize;
use store::tenant::{AnswerKey, AppendixKey, RecordKey, Reservation, UsageKey};
use store::{ObjectKey, Objects, Store, Usage, WriteError};

use crate::appendices::add::answer;
use crate::quota;
use crate::shapes::{AppendixVersionView, AppendixView, ReservedView};

/// Bytes that are about to be uploaded.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "NewAppendixVersion"))]
#[serde(deny_unknown_fields)]
struct Body {
    content_type: ContentType,
    bytes: AppendixBytes,
    sha256: Sha256,
}

/// Two people who add a version at once both get theirs, one after the other.
const ATTEMPTS_MAX: u32 = 5;

const APPENDIX_BUSY: Code = Code::new(
    StatusCode::CONFLICT,
    "appendix_busy",
    "Others are adding versions; trying again in a moment helps.",
);
const TOO_MANY_VERSIONS: Code = Code::new(
    StatusCode::CONFLICT,
    "too_many_versions",
    "The appendix has as many versions as one can have.",
);

pub const FUNCTION: HttpFunction<(Store, Objects)> = HttpFunction {
    declaration: Declaration {
        name: "add-appendix-version",
        routes: &[Route::post("/v1/records/{record_id}/appendices/{appendix_id}/versions")],
        summary: "Reserves the next version of an appendix, and says how to upload it",
        parameters: &[Parameter::RECORD_ID, Parameter::APPENDIX_ID, Parameter::IDEMPOTENCY_KEY],
        body: RequestBody::json::<Body>(),
        answers: &[Answer::json::<ReservedView>(StatusCode::CREATED, "Reserved.")
            .with(&[ResponseHeader::LOCATION, ResponseHeader::ETAG])],
        // A restore may have brought the next version back, and not yet that the appendix has it.
        problems: &[APPENDIX_BUSY, TOO_MANY_VERSIONS, Code::EXISTS, Code::QUOTA_EXCEEDED],
    },
    build: |env| Ok((env.store()?, env.objects()?)),
    handle: Handle::Session(
        Role::Member,
        |(store, _)| store,
        |(store, objects), request| Box::pin(handle(store, objects, request)),
    ),
};

async fn handle(
    store: &Store,
    objects: &Objects,
    request: SessionRequest<'_>,
) -> Result<Response, Problem> {
    let record_id: RecordId = request.path("record_id")?;
    let id: AppendixId = request.path("appendix_id")?;
    let once = Once::of(&request)?;
    for _ in 0..ATTEMPTS_MAX {
        let keys = (
            RecordKey(record_id),
            AppendixKey { record: record_id, appendix: id },
            AnswerKey(once.key()),
            UsageKey,
        );
        let opened = request.open(store, keys).await?;
        let (customer, user) = (opened.session.customer, opened.session.user);
        let (record, appendix, earlier, standing) = opened.found;
        record.existing()?;
        let current = appendix.existing()?;
        if let Some(earlier) = &earlier {
            return answer(objects, request, &customer, once.answer(earlier)?).await;
        }
        let Body { content_type, bytes, sha256 } = request.json()?;

        let more = Usage { bytes: bytes.get(), versions: 1, ..Usage::default() };
        quota::admit(store, &opened.session, &standing, more).await?;
        let number = current.content.last_version.next().ok_or_else(too_many_versions)?;
        let content = Appendix { last_version: number, ..current.content.clone() };
        let appendix = current.changed(content, user, request.now());
        let pending = AppendixVersion::pending(Declared { content_type, bytes, sha256 });
        let version = Revision::first(pending, user, request.now());
        let versions = vec![AppendixVersionView::new(number, &version)];
        let view = AppendixView::new(id, &appendix, versions);
        let key = ObjectKey::new(&customer, record_id, id, number);
        let remember = once.remember(&view);
        let reserved = store
            .reserve_version(
                &opened.session,
                Reservation::Next,
                &key,
                &appendix,
                &version,
                &remember,
            )
            .await;
        match reserved {
            Ok(()) => return answer(objects, request, &customer, view).await,
            Err(WriteError::Repeated(_) | WriteError::Stale { current: Some(_) }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::new(APPENDIX_BUSY, "Others are adding versions. Try again in a moment."))
}

fn too_many_versions() -> Problem {
    let max = domain::appendix::APPENDIX_VERSIONS_MAX;
    Problem::new(TOO_MANY_VERSIONS, format!("An appendix has at most {max} versions."))
}
