//! `DELETE /v1/records/{record_id}`: deletes a record. Admins and above, with If-Match. A tombstone
//! stays, and so does the history.

use am_http::{NotMade, Problem, Request, Response, StatusCode, change, empty, open};
use domain::{RecordId, Role};
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
    let id: RecordId = request.path("record_id")?;
    let wanted = Wanted { record: Some(id), ..Wanted::default() };
    let opened = open(store, request, Role::Admin, wanted).await?;
    let seen = request.if_match()?;
    let current = opened.record.ok_or_else(Problem::not_found)?;

    let session = &opened.session;
    if let Some(tombstone) = seen.tombstone(&current, session.user, request.now())? {
        store.replace_record(&session.customer, id, &tombstone).await?;
    }
    Ok(empty(StatusCode::NO_CONTENT))
}
