//! Records and their history.

pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod list_revisions;
pub mod update;
