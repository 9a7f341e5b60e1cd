//! `GET /v1/requirements`: what a device needs. Anyone.

use am_http::{
    Answer, Declaration, Handle, Problem, RequestBody, Response, Route, StatusCode, json,
};
use runtime::HttpFunction;
use serde::Serialize;

pub const FUNCTION: HttpFunction<()> = HttpFunction {
    declaration: Declaration {
        name: "get-requirements",
        routes: &[Route::get("/v1/requirements"), Route::head("/v1/requirements")],
        summary: "What a device needs",
        parameters: &[],
        body: RequestBody::None,
        answers: &[Answer::json::<Requirements>(StatusCode::OK, "The requirements.")],
        problems: &[],
    },
    build: |_| Ok(()),
    handle: Handle::Anyone(|(), _| Box::pin(async { handle() })),
};

/// The day on which one of the requirements was last changed.
pub const LAST_UPDATED: &str = "2026-11-24";

/// What a device needs.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
