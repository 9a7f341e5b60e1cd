//! Every endpoint, in this process, on the real embedded stores, fed from events/. One file per
//! subject; `world` sets the stage.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod answers;
mod appendices;
mod authorization;
mod backups;
#[path = "../collector/mod.rs"]
mod collector;
mod concurrency;
mod crashes;
mod earlier_data;
mod http;
mod layering;
mod local_cloud;
#[expect(dead_code, reason = "some of it is for the proofs")]
mod operator;
mod policy;
mod records;
mod template;
mod world;
