//! Crashes of devices on their way to Sentry, and their deletion.

pub mod receive_hook;
pub mod report;
pub mod settle;

use am_http::{Code, StatusCode};

const REPLAYED: Code = Code::new(
    StatusCode::CONFLICT,
    "replayed",
    "It was taken before: there is nothing left to do.",
);
