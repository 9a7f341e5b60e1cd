//! `POST /v1/records/{record_id}/appendices`: reserves an appendix and its first version, and says
//! how to upload the bytes. Members and above. The client may choose the appendix's id.

use am_http::{Once, Problem, Request, Response, created, etag, live, not_stored, open};
use domain::appendix::Declared;
use domain::{
    Appendix, AppendixBytes, AppendixId, AppendixVersion, ContentType, Entropy, FileName, RecordId,
    Revision, Role, Sha256, UploadState, VersionNumber,
};
use runtime::{HttpFunction, OsEntropy};
use serde::Deserialize;
use store::{Customer, ObjectKey, Objects, Reservation, Store, Wanted, WriteError};

use crate::shapes::{AppendixVersionView, AppendixView, ReservedView};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    id: Option<AppendixId>,
    name: FileName,
    content_type: ContentType,
    bytes: AppendixBytes,
    sha256: Sha256,
}

/// What the function is made of and what it does.
pub const FUNCTION: HttpFunction<(Store, Objects)> = HttpFunction {
    build: |env| Ok((env.store()?, env.objects()?)),
    handle: |(store, objects), request| Box::pin(handle(store, objects, &OsEntropy, request)),
};

pub async fn handle(
    store: &Store,
    objects: &Objects,
    entropy: &dyn Entropy,
    request: &Request,
) -> Result<Response, Problem> {
    let record_id: RecordId = request.path("record_id")?;
    let once = Once::of(request)?;
    let wanted = Wanted { record: Some(record_id), request: Some(once.key()), ..Wanted::default() };
    let opened = open(store, request, Role::Member, wanted).await?;
    let (customer, user) = (opened.session.customer, opened.session.user);
    live(opened.record.as_ref())?;
    if let Some(earlier) = &opened.earlier {
        return repeated(store, objects, request, once.answer(earlier)?).await;
    }

    let now = request.now();
    let Body { id, name, content_type, bytes, sha256 } = request.json()?;
    let id = id.unwrap_or_else(|| AppendixId::new(now, entropy));
    id.check_as_new(now).map_err(|rule| Problem::invalid("/id", rule.to_string()))?;
    let number = VersionNumber::FIRST;
    let key = ObjectKey::new(&customer, record_id, id, number);
    let appendix = Revision::first(Appendix { record_id, name, last_version: number }, user, now);
    let declared = Declared { content_type, bytes, sha256 };
    let pending = AppendixVersion { declared, state: UploadState::Pending };
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
            Err(Problem::conflict("appendix_exists", "An appendix with this id exists already."))
        }
        Err(error) => Err(error.into()),
    }
}

/// The earlier answer with a fresh permission, unless the appendix was deleted since.
async fn repeated(
    store: &Store,
    objects: &Objects,
    request: &Request,
    view: AppendixView,
) -> Result<Response, Problem> {
    let wanted = Wanted { appendix: Some((view.record_id, view.id)), ..Wanted::default() };
    let opened = open(store, request, Role::Member, wanted).await?;
    live(opened.appendix)?;
    answer(objects, request, &opened.session.customer, view).await
}

/// The reservation and a fresh permission to upload its newest version.
pub(crate) async fn answer(
    objects: &Objects,
    request: &Request,
    customer: &Customer,
    appendix: AppendixView,
) -> Result<Response, Problem> {
    let version = appendix.versions.last().ok_or_else(Problem::not_found)?;
    let key = ObjectKey::new(customer, appendix.record_id, appendix.id, version.number);
    let upload = objects.presign_upload(&key, &version.declared, request.now()).await?.into();
    let location = format!("/v1/records/{}/appendices/{}", appendix.record_id, appendix.id);
    let etag = etag(appendix.revision);
    Ok(not_stored(created(&location, &etag, &ReservedView { appendix, upload })))
}
