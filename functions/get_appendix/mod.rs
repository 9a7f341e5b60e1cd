//! `GET /v1/records/{record_id}/appendices/{appendix_id}?version=`: one version of an appendix, the
//! newest stored one unless another is named, and a short-lived link to its bytes. Any role.

use am_http::{
    Problem, Request, Response, StatusCode, etag, json, live, not_stored, open_and, with_header,
};
use domain::{AppendixId, RecordId, Role, Timestamp, UploadState, VersionNumber};
use lambda_http::http::header::ETAG;
use runtime::HttpFunction;
use serde::Serialize;
use store::{ObjectKey, Objects, ReadAppendix, Store, Wanted};

use crate::shapes::{AppendixVersionView, AppendixView};

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    appendix: AppendixView,
    download: DownloadView,
}

#[derive(Serialize)]
struct DownloadView {
    method: &'static str,
    url: String,
    expires_at: Timestamp,
}

/// What the function is made of and what it does.
pub const FUNCTION: HttpFunction<(Store, Objects)> = HttpFunction {
    build: |env| Ok((env.store()?, env.objects()?)),
    handle: |(store, objects), request| Box::pin(handle(store, objects, request)),
};

pub async fn handle(
    store: &Store,
    objects: &Objects,
    request: &Request,
) -> Result<Response, Problem> {
    let record_id: RecordId = request.path("record_id")?;
    let id: AppendixId = request.path("appendix_id")?;
    let number: Option<VersionNumber> = request.query("version")?;
    let wanted = Wanted { record: Some(record_id), ..Wanted::default() };
    let question = ReadAppendix { record: record_id, appendix: id };
    let (opened, found) = open_and(store, request, Role::Viewer, wanted, question).await?;
    live(opened.record)?;
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
    let answer = Answer {
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
    Problem::conflict("appendix_not_stored", "The bytes of this version have not arrived yet.")
}
