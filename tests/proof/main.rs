//! Backups that are proven, and restores that put the service back: real copies, every fault, load and
//! kills. It takes a while, so it is not a part of the inner loop.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod between;
mod broken;
mod bytes;
mod chain;
mod drill;
mod erasures;
mod faults;
mod feed;
mod losses;
mod restore;
mod trace;
mod verification;
