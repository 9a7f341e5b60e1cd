//! How things look in answers, where several endpoints show the same thing.

mod account;
mod appendix;
mod record;

pub use account::{CustomerView, UserView};
pub use appendix::{AppendixVersionView, AppendixView, ReservedView, UploadView};
pub use record::{RecordView, RevisionView};
