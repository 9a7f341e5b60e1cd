//! `POST /v1/records`: creates a record. Members and above. The client may choose its id.

use am_http::{Once, Problem, Request, Response, created, etag, open};
use domain::{Entropy, Fields, Record, RecordId, RecordTitle, RecordType, Revision, Role};
use runtime::{HttpFunction, OsEntropy};
use serde::Deserialize;
use store::{Store, Wanted, WriteError};

use crate::shapes::RecordView;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    id: Option<RecordId>,
    #[serde(rename = "type")]
    record_type: RecordType,
    title: RecordTitle,
    #[serde(default)]
    fields: Fields,
}

/// What the function is made of and what it does.
pub const FUNCTION: HttpFunction<Store> = HttpFunction {
    build: |env| env.store(),
    handle: |store, request| Box::pin(handle(store, &OsEntropy, request)),
};

pub async fn handle(
    store: &Store,
    entropy: &dyn Entropy,
    request: &Request,
) -> Result<Response, Problem> {
    let once = Once::of(request)?;
    let wanted = Wanted { request: Some(once.key()), ..Wanted::default() };
    let opened = open(store, request, Role::Member, wanted).await?;
    if let Some(earlier) = &opened.earlier {
        return Ok(answer(&once.answer(earlier)?));
    }
    let now = request.now();
    let Body { id, record_type, title, fields } = request.json()?;
    let id = id.unwrap_or_else(|| RecordId::new(now, entropy));
    id.check_as_new(now).map_err(|rule| Problem::invalid("/id", rule.to_string()))?;
    fields.check_as_new().map_err(|rule| Problem::invalid("/fields", rule.to_string()))?;

    let record = Record { record_type, title, fields };
    let revision = Revision::first(record, opened.session.user, now);
    let view = RecordView::new(id, &revision);
    match store.create_record(&opened.session, id, &revision, &once.remember(&view)).await {
        Ok(()) => Ok(answer(&view)),
        Err(WriteError::Repeated(earlier)) => Ok(answer(&once.answer(&earlier)?)),
        Err(WriteError::Exists) => {
            Err(Problem::conflict("record_exists", "A record with this id exists already."))
        }
        Err(error) => Err(error.into()),
    }
}

fn answer(view: &RecordView) -> Response {
    created(&format!("/v1/records/{}", view.id), &etag(view.version), view)
}
