//! The function that serves the web client, whatever client that is.

use reqwest::{Client, Response};
use testing::world::World;

async fn get(world: &World, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = Client::new().get(format!("http://{}{path}", world.cloud.address()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn every_page_is_the_client_and_is_asked_for_each_time() {
    let world = World::new().await;
    for path in [
        "/",
        "/sign-up",
        "/invitation",
        "/password",
        "/people",
        "/security",
        "/company",
        "/account",
        "/inbox",
        "/outbox",
        "/records/x",
    ] {
        let page = get(&world, path, &[]).await;
        assert_eq!(page.status(), 200, "{path}");
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
        assert_eq!(header(&page, "cache-control"), "no-cache");
        let policy = header(&page, "content-security-policy");
        assert!(policy.contains("script-src 'self'; style-src 'self'"), "{policy}");
        let scripts = "require-trusted-types-for 'script'; trusted-types worker";
        assert!(policy.ends_with(scripts), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(header(&page, "cross-origin-opener-policy"), "same-origin");
        assert_eq!(header(&page, "referrer-policy"), "no-referrer");
        let etag = header(&page, "etag").to_owned();
        assert_eq!(page.text().await.unwrap(), "<!doctype html>");
        for known in [etag.clone(), format!("\"x\", W/{etag}")] {
            let again = get(&world, path, &[("if-none-match", &known)]).await;
            assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, etag.as_str()));
        }
    }
    let head = Client::new().head(format!("http://{}/", world.cloud.address())).send().await;
    assert_eq!(head.unwrap().status(), 200);
}

#[tokio::test]
async fn what_keeps_the_pages_on_a_device_is_asked_for_each_time() {
    let world = World::new().await;
    let worker = get(&world, "/worker.js", &[]).await;
    assert_eq!(worker.status(), 200);
    assert_eq!(header(&worker, "content-type"), "text/javascript; charset=utf-8");
    assert_eq!(header(&worker, "cache-control"), "no-cache");
    let etag = header(&worker, "etag").to_owned();
    assert_eq!(worker.text().await.unwrap(), "self");
    assert_eq!(get(&world, "/worker.js", &[("if-none-match", &etag)]).await.status(), 304);
    // It was not built here.
    assert_eq!(get(&world, "/manifest.webmanifest", &[]).await.status(), 404);
}

#[tokio::test]
async fn what_a_page_loads_is_kept_for_good_and_comes_packed() {
    let world = World::new().await;
    for (accepted, encoding, bytes) in [
        ("gzip, deflate, br, zstd", "br", "the script by brotli"),
        ("gzip", "gzip", "the script by gzip"),
        ("br;q=0, gzip", "gzip", "the script by gzip"),
        ("identity", "", "export {}"),
    ] {
        let script = get(&world, "/assets/app-1.js", &[("accept-encoding", accepted)]).await;
        assert_eq!(header(&script, "content-encoding"), encoding, "{accepted}");
        assert_eq!(header(&script, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header(&script, "content-type"), "text/javascript; charset=utf-8");
        assert_eq!(header(&script, "vary"), "accept-encoding");
        assert_eq!(script.text().await.unwrap(), bytes, "{accepted}");
    }
    for path in [
        "/assets/app-1.js.br",
        "/assets/",
        "/assets",
        "/index.html",
        "/index.html.gz",
        "/assets/%2e%2e/index.html",
        "/%2e%2e/lock",
    ] {
        assert_eq!(get(&world, path, &[]).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn a_page_takes_no_path_of_the_api() {
    let world = World::new().await;
    for (path, status, allow) in [
        ("/v1/nothing", 404, ""),
        ("/v1/sign-ups", 405, "POST"),
        ("/v1/records/a/appendices/b/versions", 405, "POST"),
    ] {
        let answer = get(&world, path, &[]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "allow")), (status, allow), "{path}");
        assert_eq!(header(&answer, "content-type"), "application/problem+json");
    }
    let post = Client::new().post(format!("http://{}/nothing", world.cloud.address())).send().await;
    assert_eq!(post.unwrap().status(), 404, "no page takes a POST");
}
