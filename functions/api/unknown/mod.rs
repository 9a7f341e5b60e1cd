//! What no route takes: 404, or 405 where the path knows other methods. Anyone.

use am_http::{Code, Declaration, Handle, Problem, Request, RequestBody, Route};
use lambda_http::http::header::ALLOW;
use runtime::HttpFunction;

pub const FUNCTION: HttpFunction<()> = HttpFunction {
    declaration: Declaration {
        name: "answer-unknown",
        routes: &[Route::OTHERS],
        summary: "Says of what no route takes that it is not here",
        parameters: &[],
        body: RequestBody::None,
        answers: &[],
        problems: &[Code::NOT_FOUND, Code::METHOD_NOT_ALLOWED],
    },
    build: |_| Ok(()),
    handle: Handle::Anyone(|(), request| Box::pin(async { Err(problem(request)) })),
};

/// Of every endpoint, as build.rs has found them: their routes, and nothing that would link what they do.
static ROUTES: &[&[Route]] = include!(concat!(env!("OUT_DIR"), "/routes.rs"));

/// 404, or 405 with what the path knows.
pub fn problem(request: &Request) -> Problem {
    let routes = ROUTES.iter().copied().flatten();
    let here = routes.filter(|route| route.fits(request.raw_path()));
    let mut methods: Vec<&str> = here.map(|route| route.method.as_str()).collect();
    if methods.is_empty() {
        return Problem::new(Code::NOT_FOUND, "There is nothing at this path.");
    }
    methods.sort_unstable();
    methods.dedup();
    let methods = methods.join(", ");
    let detail = format!("This path knows {methods}, and not {}.", request.method());
    Problem::new(Code::METHOD_NOT_ALLOWED, detail).header(ALLOW, &methods)
}
