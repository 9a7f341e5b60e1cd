//! `GET /v1/records/{record_id}/appendices/{appendix_id}?version=`: one version of an appendix, the
//! newest stored one unless another is named, and a short-lived link to its bytes. Any role.

use am_http::{
    Answer, Code, Declaration, Handle, Parameter, Problem, RequestBody, Response, ResponseHeader,
    Route, SessionRequest, StatusCode, etag, json, not_stored, with_header,
};
use domain::{AppendixId, RecordId, Role, Timestamp, UploadState, VersionNumber};
use lambda_http::http::header::ETAG;
use runtime::HttpFunction;
use serde::Serialize;
use store::tenant::{ReadAppendix, RecordKey};
use store::{ObjectKey, Objects, Store};

use crate::shapes::{AppendixVersionView, AppendixView};

/// An appendix with one version, and where its bytes are.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct AppendixLink {
    #[serde(flatten)]
    appendix: AppendixView,
    download: DownloadView,
}

/// A link that is good for five minutes, and always downloads.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct DownloadView {
    method: &'static str,
    url: String,
    expires_at: Timestamp,
}

const APPENDIX_NOT_STORED: Code = Code::new(
    StatusCode::CONFLICT,
    "appendix_not_stored",
    "The bytes of this version have not arrived yet.",
);

pub const FUNCTION: HttpFunction<(Store, Objects)> = HttpFunction {
    declaration: Declaration {
        name: "get-appendix",
        routes: &[Route::get("/v1/records/{record_id}/appendices/{appendix_id}")],
        summary: "One version of an appendix, and a link to its bytes",
        parameters: &[
            Parameter::RECORD_ID,
            Parameter::APPENDIX_ID,
            Parameter::query::<VersionNumber>(
                "version",
                "Its number; the newest stored version where none is named.",
            ),
        ],
        body: RequestBody::None,
        answers: &[Answer::json::<AppendixLink>(StatusCode::OK, "The version and the link.")
            .with(&[ResponseHeader::ETAG])],
        problems: &[APPENDIX_NOT_STORED],
    },
    build: |env| Ok((env.store()?, env.objects()?)),
    handle: Handle::Session(
        Role::Viewer,
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
    let number: Option<VersionNumber> = request.query("version")?;
    let question = ReadAppendix { record: record_id, appendix: id };
    let (opened, found) = request.open_and(store, RecordKey(record_id), question).await?;
    opened.found.existing()?;
    let history = found.filter(|found| !found.appendix.deleted).ok_or_else(Problem::not_found)?;

    let stored = |state| state == UploadState::Stored;
    let mut versions = history.versions.iter().rev();
    let (number, version) = match number {
        Some(number) => versions.find(|(n, _)| *n == number).ok_or_else(Problem::not_found)?,
        None => versions.find(|(_, v)| stored(v.content.state)).ok_or_else(not_arrived)?,
    };
    if !stored(version.content.state) {
        return Err(not_arrived());
    }
    let key = ObjectKey::new(&opened.session.customer, record_id, id, *number);
    let name = &history.appendix.content.name;
    let download = objects.presign_download(&key, name, request.now()).await?;
    let view = vec![AppendixVersionView::new(*number, version)];
    let answer = AppendixLink {
        appendix: AppendixView::new(id, &history.appendix, view),
        download: DownloadView {
            method: "GET",
            url: download.url,
            expires_at: download.expires_at,
        },
    };
    let response = not_stored(json(StatusCode::OK, &answer));
    Ok(with_header(response, ETAG, &etag(history.appendix.version)))
}

fn not_arrived() -> Problem {
    Problem::new(APPENDIX_NOT_STORED, "The bytes of this version have not arrived yet.")
}
