//! A change, as clients see it.

use domain::{AppendixId, CommentId, RecordId, Revision, Timestamp, UserId, Version};
use serde::Serialize;
use store::tenant::Changed;

use super::{AppendixVersionView, CommentView, PersonView, RecordView, TypeView};

/// A thing that was changed, as it is now. Of one that was deleted, only what it was.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Changed"))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChangedView {
    Record(RecordView),
    RecordDeleted(DeletedView<RecordId>),
    Appendix(ChangedAppendixView),
    AppendixDeleted(DeletedView<AppendixId>),
    AppendixVersion(ChangedVersionView),
    Comment(CommentView),
    CommentDeleted(DeletedView<CommentId>),
    Type(TypeView),
    /// Also of somebody who was removed.
    Person(PersonView),
}

/// What was deleted.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Deleted{I}"))]
pub struct DeletedView<I> {
    pub id: I,
    /// Of its end.
    pub version: Version,
    pub changed_at: Timestamp,
    pub changed_by: UserId,
}

/// An appendix without its versions, which are told of by themselves.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "ChangedAppendix"))]
pub struct ChangedAppendixView {
    pub id: AppendixId,
    pub record_id: RecordId,
    pub name: domain::FileName,
    /// How often it was changed, which its ETag says too.
    pub revision: Version,
    pub created_at: Timestamp,
    pub created_by: UserId,
}

/// A version of an appendix: reserved, or stored by now.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "ChangedVersion"))]
pub struct ChangedVersionView {
    pub appendix_id: AppendixId,
    pub record_id: RecordId,
    #[serde(flatten)]
    pub version: AppendixVersionView,
}

impl<I> DeletedView<I> {
    fn new<T>(id: I, revision: &Revision<T>) -> Self {
        let Revision { version, changed_at, changed_by, .. } = revision;
        Self { id, version: *version, changed_at: *changed_at, changed_by: *changed_by }
    }
}

impl ChangedView {
    /// What others log in with is for those alone to whom it is shown.
    pub fn new(changed: Changed, shows_sign_in: impl Fn(UserId) -> bool) -> Self {
        match changed {
            Changed::Record(id, record) if record.deleted => {
                Self::RecordDeleted(DeletedView::new(id, &record))
            }
            Changed::Record(id, record) => Self::Record(RecordView::new(id, &record)),
            Changed::Appendix(_, id, appendix) if appendix.deleted => {
                Self::AppendixDeleted(DeletedView::new(id, &appendix))
            }
            Changed::Appendix(record_id, id, appendix) => Self::Appendix(ChangedAppendixView {
                id,
                record_id,
                name: appendix.content.name.clone(),
                revision: appendix.version,
                created_at: appendix.created_at,
                created_by: appendix.created_by,
            }),
            Changed::AppendixVersion(record_id, appendix_id, number, version) => {
                let version = AppendixVersionView::new(number, &version);
                Self::AppendixVersion(ChangedVersionView { appendix_id, record_id, version })
            }
            Changed::Comment(_, id, comment) if comment.deleted => {
                Self::CommentDeleted(DeletedView::new(id, &comment))
            }
            Changed::Comment(record, id, comment) => {
                Self::Comment(CommentView::new(record, id, &comment))
            }
            Changed::Type(name, definition) => Self::Type(TypeView::new(name, &definition)),
            Changed::Person(person) => {
                let is_shown = shows_sign_in(person.user);
                let mut view = PersonView::from(person);
                view.user.sign_in_name = view.user.sign_in_name.filter(|_| is_shown);
                Self::Person(view)
            }
        }
    }
}
