//! `DELETE /v1/records/{record_id}`: deletes a record. Admins and above, with If-Match. A tombstone
//! stays, and so does the history.

use am_http::{Problem, Request, Response, StatusCode, empty, open};
use domain::{RecordId, Role};
use store::{Store, Wanted};

pub async fn handle(store: &Store, request: &Request) -> Result<Response, Problem> {
    let id: RecordId = request.path("record_id")?;
    let wanted = Wanted { record: Some(id), ..Wanted::default() };
    let opened = open(store, request, Role::Admin, wanted).await?;
    let seen = request.if_match()?;
    let current = opened.record.ok_or_else(Problem::not_found)?;

    let user = opened.session.user;
    if current.deleted {
        // The answer was lost and the client tries again; anyone else finds nothing here.
        let made_before = seen.precedes(current.version) && current.changed_by == user;
        return if made_before { Ok(deleted()) } else { Err(Problem::not_found()) };
    }
    if !seen.admits(current.version) {
        return Err(Problem::stale(current.version));
    }
    let tombstone = current.tombstone(user, request.now());
    store.replace_record(&opened.session.customer, id, &tombstone).await?;
    Ok(deleted())
}

fn deleted() -> Response {
    empty(StatusCode::NO_CONTENT)
}
