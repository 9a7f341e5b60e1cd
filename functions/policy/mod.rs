//! What we promise, and how it stands.

pub mod get;
pub mod get_requirements;
