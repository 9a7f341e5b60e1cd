//! What people are told of records that concern them.

pub mod list;
pub mod mark;
