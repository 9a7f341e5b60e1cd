//! Backups that are proven, and restores that put the service back: real copies, every fault, load and
//! kills. It takes a while, so it is not a part of the inner loop.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod faults;
mod load;
#[expect(dead_code, reason = "some of it is for the tests in process")]
#[path = "../it/operator.rs"]
mod operator;
mod restore;
mod verification;
#[expect(dead_code, reason = "the stage is set for the tests in process, which use all of it")]
#[path = "../it/world.rs"]
mod world;
