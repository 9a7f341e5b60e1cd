//! The web client.

pub mod get;
