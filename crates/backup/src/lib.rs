//! What proves a backup: the manifest of all that was kept at one moment, as counts and digests that
//! a restored copy must yield again. The core is pure; reading goes through `store`. It must never
//! depend on HTTP or on a clock.

mod manifest;
mod tally;

pub use manifest::{Manifest, Summary, TableManifest, manifest};
pub use tally::Tally;
