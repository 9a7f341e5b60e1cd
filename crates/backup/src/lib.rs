//! What proves a backup: the manifest of all that was kept at one moment, as counts and digests, and
//! the verification that a restored copy yields the same again - or what in it does not. The sums
//! are pure; reading goes through `store`. It must never depend on HTTP or on a clock.

mod buckets;
mod chain;
mod check;
mod findings;
mod known;
mod lattice;
mod losses;
mod manifest;
mod objects;
mod restored;
mod standing;
mod tally;
mod trace;
mod verify;

pub use buckets::{Buckets, Suspects};
pub use chain::Base;
pub use check::TableCheck;
pub use findings::{Cause, Finding, Findings};
pub use losses::losses;
pub use manifest::{
    APPENDICES, EVIDENCE, Evening, EveningPart, Manifest, Previous, Summary, TableManifest,
    conclude, evening, evening_part, gaps, manifest,
};
pub use objects::ObjectsCheck;
pub use restored::{
    Dangling, dangling, erase_what_is_erased_in_use, mend, not_noted, not_restored,
    set_unclaimed_aside,
};
pub use tally::Tally;
pub use verify::{Report, Verifier};
