//! Every endpoint, in this process, on the real embedded stores, fed from events/. One file per
//! subject; `world` sets the stage.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod answers;
mod appendices;
mod authorization;
mod backups;
mod changes;
mod comments;
mod companies;
mod concurrency;
mod contract;
mod crashes;
mod earlier_data;
mod events;
mod feed;
mod find;
mod find_edges;
mod forged;
mod forging;
mod forgotten;
mod hardened;
mod http;
mod inbox;
mod layering;
mod local_cloud;
mod overview;
mod pages;
mod passwords;
mod people;
mod policy;
mod records;
mod resolved_issues;
mod sign_ups;
mod template;
mod tokens;
mod types;
