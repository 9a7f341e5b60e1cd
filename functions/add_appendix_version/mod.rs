//! `POST /v1/records/{record_id}/appendices/{appendix_id}/versions`: reserves the next version of
//! an appendix, and says how to upload it. Members and above. Earlier versions stay.

use am_http::{Once, Problem, Request, Response, live, open};
use domain::appendix::Declared;
use domain::{
    Appendix, AppendixBytes, AppendixId, AppendixVersion, ContentType, RecordId, Revision, Role,
    Sha256, UploadState,
};
use runtime::HttpFunction;
use serde::Deserialize;
use store::{ObjectKey, Objects, Reservation, Store, Wanted, WriteError};

use crate::add_appendix::answer;
use crate::shapes::{AppendixVersionView, AppendixView};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    content_type: ContentType,
    bytes: AppendixBytes,
    sha256: Sha256,
}

/// Two people who add a version at once both get theirs, one after the other.
const ATTEMPTS_MAX: u32 = 5;

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
    let once = Once::of(request)?;
    let wanted = Wanted {
        record: Some(record_id),
        appendix: Some((record_id, id)),
        request: Some(once.key()),
        profile: false,
    };
    for _ in 0..ATTEMPTS_MAX {
        let opened = open(store, request, Role::Member, wanted).await?;
        let (customer, user) = (opened.session.customer, opened.session.user);
        live(opened.record.as_ref())?;
        let current = live(opened.appendix.as_ref())?;
        if let Some(earlier) = &opened.earlier {
            return answer(objects, request, &customer, once.answer(earlier)?).await;
        }
        let Body { content_type, bytes, sha256 } = request.json()?;

        let number = current.content.last_version.next().ok_or_else(too_many_versions)?;
        let content = Appendix { last_version: number, ..current.content.clone() };
        let appendix = current.changed(content, user, request.now());
        let declared = Declared { content_type, bytes, sha256 };
        let pending = AppendixVersion { declared, state: UploadState::Pending };
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
    Err(Problem::conflict("appendix_busy", "Others are adding versions. Try again in a moment."))
}

fn too_many_versions() -> Problem {
    let max = domain::appendix::APPENDIX_VERSIONS_MAX;
    Problem::conflict("too_many_versions", format!("An appendix has at most {max} versions."))
}
