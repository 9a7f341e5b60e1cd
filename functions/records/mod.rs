//! Records and their history.

pub mod build_index;
pub mod create;
pub mod delete;
pub mod follow;
pub mod get;
pub mod get_follow;
pub mod index_words;
pub mod list;
pub mod list_revisions;
pub mod patch;
pub mod restore;
pub mod update;

mod draft;

use am_http::{ChangeRefusal, Once, Problem, Response, StatusCode, etag, json, with_header};
use domain::{Record, RecordId, Revision};
use lambda_http::http::header::ETAG;
use serde_json::json;
use store::tenant::Session;
use store::{Readers, Store};

use crate::shapes::RecordView;

/// 412, with the record as it is now: what a client needs to merge.
fn stale(id: RecordId, current: &Revision<Record>) -> Problem {
    Problem::stale(current.version).more("current", json!(RecordView::new(id, current)))
}

/// Replaces a record, as it was seen, by its next revision.
async fn replace(
    store: &Store,
    session: &Session,
    id: RecordId,
    current: &Revision<Record>,
    next: &Revision<Record>,
    once: Option<&Once>,
    readers: &Readers,
) -> Result<Response, ChangeRefusal> {
    let view = RecordView::new(id, next);
    let remember = once.map(|once| once.remember(&view));
    store.replace_record(session, id, current, next, remember.as_ref(), readers).await?;
    Ok(changed(&view))
}

/// A record as a change has left it.
fn changed(view: &RecordView) -> Response {
    with_header(json(StatusCode::OK, view), ETAG, &etag(view.version))
}
