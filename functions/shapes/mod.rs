//! How things look in answers, where several endpoints show the same thing.

mod account;
mod appendix;
mod changed;
mod comment;
mod person;
mod policy;
mod record;
mod token;
mod type_of_records;

pub use account::{CompanyView, CustomerView, KeptView, UserView};
pub use appendix::{AppendixVersionView, AppendixView, ReservedView, UploadView};
pub use changed::ChangedView;
pub use comment::CommentView;
pub use person::{InvitationView, PersonView};
pub use policy::{
    Audit, Chain, Check, CrashData, DELETED_WITHIN, InUse, RESTORED_WEEKLY_WITHIN, RestoreReason,
    RestoreState, RestoreView, VERIFIED_WITHIN, VerifiedBackup, WEEKLY_RESTORE, WeeklyRestore,
};
pub use record::{RecordView, RevisionView};
pub use token::TokenView;
pub use type_of_records::TypeView;
