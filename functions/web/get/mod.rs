//! `GET /` and `GET /{path+}`: the web client, from the same origin as the API. Anyone. What is at the paths of the API and
//! takes no GET is answered as it would be without pages.

mod assets;

use am_http::{
    Answer, Code, Declaration, Handle, Parameter, Problem, Request, RequestBody, Response, Route,
    StatusCode, empty, takes, with_header,
};
use lambda_http::Body;
use lambda_http::http::HeaderName;
use lambda_http::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use runtime::HttpFunction;

use crate::api::unknown;
use assets::{Asset, Assets};

/// Everything that pages load is ours, and no text becomes a script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
                      connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
                      frame-ancestors 'none'; form-action 'self'; require-trusted-types-for 'script'; \
                      trusted-types worker";

/// The paths that the client has pages for.
const PAGES: [&str; 10] = [
    "/",
    "/sign-up",
    "/invitation",
    "/password",
    "/inbox",
    "/outbox",
    "/people",
    "/security",
    "/company",
    "/account",
];
/// What makes an app of the pages: like these, it is asked for each time.
const APP: [&str; 2] = ["worker.js", "manifest.webmanifest"];
const RECORDS: &str = "/records/";
const ASSETS: &str = "assets/";

pub const FUNCTION: HttpFunction<Assets> = HttpFunction {
    declaration: Declaration {
        name: "get-app",
        routes: &[Route::get("/"), Route::head("/"), Route::get("/{path+}")],
        summary: "The web client",
        parameters: &[Parameter::path::<String>("path", "A page, or what it loads.")],
        body: RequestBody::None,
        answers: &[
            Answer::empty(StatusCode::OK, "The page."),
            Answer::empty(StatusCode::NOT_MODIFIED, "As it was."),
        ],
        problems: &[Code::NOT_FOUND, Code::METHOD_NOT_ALLOWED],
    },
    build: Assets::build,
    handle: Handle::Anyone(|assets, request| Box::pin(async { handle(assets, request) })),
};

fn handle(assets: &Assets, request: &Request) -> Result<Response, Problem> {
    let path = request.raw_path();
    if PAGES.contains(&path) || path.starts_with(RECORDS) {
        let page = assets.find("index.html").ok_or_else(|| {
            Problem::new(Code::NOT_FOUND, "The web client was not built: web/build does it.")
        })?;
        return Ok(page_of(page, request));
    }
    let of_app = APP.into_iter().find(|name| path.strip_prefix('/') == Some(*name));
    if let Some(file) = of_app.and_then(|name| assets.find(name)) {
        return Ok(page_of(file, request));
    }
    let name = path.strip_prefix('/').filter(|name| name.starts_with(ASSETS));
    let asset = name.and_then(|name| assets.find(name));
    let asset = asset.ok_or_else(|| unknown::problem(request))?;
    // Its name has the hash of its content.
    let response = packed(asset, request);
    Ok(with_header(response, CACHE_CONTROL, "public, max-age=31536000, immutable"))
}

/// A page is asked for each time, and sent where it has changed.
fn page_of(page: &Asset, request: &Request) -> Response {
    let etag = format!("\"{}\"", page.digest);
    let known = request.header(IF_NONE_MATCH.as_str()).unwrap_or_default();
    let is_known = known.split(',').any(|it| it.trim().trim_start_matches("W/") == etag);
    let response = if is_known { empty(StatusCode::NOT_MODIFIED) } else { packed(page, request) };
    let response = with_header(response, CACHE_CONTROL, "no-cache");
    let response = with_header(response, ETAG, &etag);
    let response = with_header(response, CONTENT_SECURITY_POLICY, POLICY);
    let opener = HeaderName::from_static("cross-origin-opener-policy");
    let permissions = HeaderName::from_static("permissions-policy");
    let response = with_header(response, opener, "same-origin");
    with_header(response, permissions, "camera=(self), geolocation=(), microphone=()")
}

fn packed(asset: &Asset, request: &Request) -> Response {
    let accepted = request.header(ACCEPT_ENCODING.as_str()).unwrap_or_default();
    let (bytes, encoding) = if takes(accepted, "br") {
        (&asset.brotli, Some("br"))
    } else if takes(accepted, "gzip") {
        (&asset.gzip, Some("gzip"))
    } else {
        (&asset.plain, None)
    };
    let mut response = Response::new(Body::Binary(bytes.to_vec()));
    response = with_header(response, CONTENT_TYPE, asset.content_type());
    response = with_header(response, VARY, "accept-encoding");
    match encoding {
        Some(encoding) => with_header(response, CONTENT_ENCODING, encoding),
        None => response,
    }
}
