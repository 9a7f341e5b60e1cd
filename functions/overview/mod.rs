//! What there is to do, in six figures.

pub mod get;
