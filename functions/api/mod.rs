//! The API itself.

pub mod get_openapi;
pub mod unknown;
