//! `PUT /v1/records/{record_id}`: replaces a record's content. Members and above. If-Match names
//! the version that the client saw, so that nobody's change is overwritten unseen.

use am_http::{
    NotMade, Problem, Request, Response, StatusCode, change, etag, json, live, open, with_header,
};
use domain::{Record, RecordId, Revision, Role};
use lambda_http::http::header::ETAG;
use runtime::HttpFunction;
use store::{Store, Wanted};

use crate::shapes::RecordView;

/// What the function is made of and what it does.
pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    build: |env| env.store(),
    handle: |store, request| Box::pin(handle(store, request)),
};

pub async fn handle(store: &Store, request: &Request) -> Result<Response, Problem> {
    change(|| update(store, request)).await
}

async fn update(store: &Store, request: &Request) -> Result<Response, NotMade> {
    let id: RecordId = request.path("record_id")?;
    let wanted = Wanted { record: Some(id), ..Wanted::default() };
    let opened = open(store, request, Role::Member, wanted).await?;
    let seen = request.if_match()?;
    let content: Record = request.json()?;
    content.fields.check_as_new().map_err(|rule| Problem::invalid("/fields", rule.to_string()))?;
    let current = live(opened.record)?;

    let user = opened.session.user;
    if seen.was_changed_by(user, &current) && current.content == content {
        return Ok(answer(id, &current));
    }
    if !seen.admits(current.version) {
        return Err(Problem::stale(current.version).into());
    }
    let changed = current.changed(content, user, request.now());
    store.replace_record(&opened.session.customer, id, &changed).await?;
    Ok(answer(id, &changed))
}

fn answer(id: RecordId, record: &Revision<Record>) -> Response {
    let response = json(StatusCode::OK, &RecordView::new(id, record));
    with_header(response, ETAG, &etag(record.version))
}
