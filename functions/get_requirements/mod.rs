//! `GET /v1/requirements`: what a device needs. Anyone.

use am_http::{Problem, Request, Response, StatusCode, json};
use runtime::HttpFunction;
use serde::Serialize;

/// What the function is made of and what it does.
pub const FUNCTION: HttpFunction<()> =
    HttpFunction { build: |_| Ok(()), handle: |(), _: &Request| Box::pin(async { handle() }) };

/// The day on which one of the requirements was last changed.
pub const LAST_UPDATED: &str = "2026-11-24";

#[derive(Serialize)]
pub struct Requirements {
    /// The newest version of each.
    pub browsers: [&'static str; 2],
    pub cookies: &'static str,
    pub https: &'static str,
    pub to_install: &'static str,
    pub last_updated: &'static str,
}

pub const REQUIREMENTS: Requirements = Requirements {
    browsers: ["Google Chrome", "Microsoft Edge"],
    cookies: "A browser has to accept ours; an app sends a token and needs none.",
    https: "TLS 1.2 or newer.",
    to_install: "Nothing on a computer; apps update themselves from their store.",
    last_updated: LAST_UPDATED,
};

fn handle() -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &REQUIREMENTS))
}
