//! Appendices of records, every version of them.

pub mod add;
pub mod add_version;
pub mod delete;
pub mod get;
pub mod list;
pub mod store;
