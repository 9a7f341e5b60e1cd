//! What the tests share: the stage with its people (`world`), the stores as somebody reaches them who is
//! past every rule of the service (`operator`), a server in Sentry's place (`collector`), and a person's
//! way through the whole API (`journey`). Nothing but tests may depend on it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answer;
mod call;
pub mod collector;
mod described;
pub mod forge;
pub mod journey;
pub mod letters;
pub mod operator;
mod pages;
mod people;
mod programs;
mod repository;
pub mod world;
