//! `DELETE /v1/records/{record_id}/appendices/{appendix_id}`: deletes an appendix. Admins and above,
//! with If-Match. A tombstone stays, and so do the bytes of every version.

use am_http::{NotMade, Problem, Request, Response, StatusCode, change, empty, live, open};
use domain::{AppendixId, RecordId, Role};
use runtime::HttpFunction;
use store::{Store, Wanted};

/// What the function is made of and what it does.
pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    build: |env| env.store(),
    handle: |store, request| Box::pin(handle(store, request)),
};

pub async fn handle(store: &Store, request: &Request) -> Result<Response, Problem> {
    change(|| delete(store, request)).await
}

async fn delete(store: &Store, request: &Request) -> Result<Response, NotMade> {
    let record_id: RecordId = request.path("record_id")?;
    let id: AppendixId = request.path("appendix_id")?;
    let wanted =
        Wanted { record: Some(record_id), appendix: Some((record_id, id)), ..Wanted::default() };
    let opened = open(store, request, Role::Admin, wanted).await?;
    let seen = request.if_match()?;
    live(opened.record)?;
    let current = opened.appendix.ok_or_else(Problem::not_found)?;

    let session = &opened.session;
    if let Some(tombstone) = seen.tombstone(&current, session.user, request.now())? {
        store.delete_appendix(&session.customer, record_id, id, &tombstone).await?;
    }
    Ok(empty(StatusCode::NO_CONTENT))
}
