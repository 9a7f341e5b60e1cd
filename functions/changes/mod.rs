//! What was changed, for devices that were away; and what they have changed meanwhile.

pub mod list;
pub mod make;
