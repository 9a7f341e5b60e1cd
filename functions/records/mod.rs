//! Records and their history.

pub mod build_index;
pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod list_revisions;
pub mod update;
