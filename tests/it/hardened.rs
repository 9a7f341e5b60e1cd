//! What attackers and other people's bug reports have tried, each with the right answer.

use std::io::Read as _;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use testing::operator;
use testing::world::{Call, PHOTO, Person, World};

fn url(world: &World, path: &str) -> String {
    format!("http://{}{path}", world.cloud.address())
}

fn client() -> Client {
    Client::builder().no_gzip().build().unwrap()
}

#[tokio::test]
async fn what_no_route_takes_is_404_or_405_with_the_methods_that_are_known() {
    let world = World::new().await;
    let answer = client().get(url(&world, "/v1/nothing")).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "not_found");
    for (method, path, allow) in [
        (Method::PATCH, "/v1/records", "GET, POST"),
        (Method::POST, "/v1/policy", "GET, HEAD"),
        (Method::OPTIONS, "/v1/records/x", "DELETE, GET, PATCH, PUT"),
        (Method::GET, "/v1/crashes/api/1/envelope/", "OPTIONS, POST"),
    ] {
        let answer = client().request(method.clone(), url(&world, path)).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method} {path}");
        assert_eq!(answer.headers()["allow"], allow, "{method} {path}");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], "method_not_allowed");
    }
}

#[tokio::test]
async fn a_monitor_that_asks_for_the_head_gets_it() {
    let world = World::new().await;
    for path in ["/v1/policy", "/v1/requirements", "/v1/openapi.json"] {
        let answer = client().head(url(&world, path)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert!(answer.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_long_answer_is_packed_for_who_takes_that() {
    let world = World::new().await;
    let plain = client().get(url(&world, "/v1/openapi.json")).send().await.unwrap();
    assert!(!plain.headers().contains_key("content-encoding"));
    assert_eq!(plain.headers()["vary"], "accept-encoding");
    let plain = plain.bytes().await.unwrap();
    let packed =
        client().get(url(&world, "/v1/openapi.json")).header("accept-encoding", "br, gzip");
    let packed = packed.send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let packed = packed.bytes().await.unwrap();
    assert!(packed.len() * 4 < plain.len(), "{} of {}", packed.len(), plain.len());
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
    let short = client().get(url(&world, "/v1/requirements")).header("accept-encoding", "gzip");
    assert!(!short.send().await.unwrap().headers().contains_key("content-encoding"));
}

#[tokio::test]
async fn a_list_is_not_taken_for_the_members_of_an_object() {
    let world = World::with_record().await;
    let body = json!(["V AB", "Eva", "eva@verkstad-norr.example", "two lathes and a mill"]);
    for call in [
        "POST /v1/customers",
        "POST /v1/sessions",
        "POST /v1/records",
        "PUT /v1/records/{record_id}",
        "POST /v1/records/{record_id}/appendices",
    ] {
        let answer = world.send(Call::to(call).body(body.clone())).await;
        assert_eq!(answer.problem(), (422, "invalid_field".into(), String::new()), "{call}");
        let spaced = Call::to(call).raw_body(&format!(" \n\t{body}"));
        assert_eq!(world.send(spaced).await.status(), 422, "{call}");
    }
}

#[tokio::test]
async fn without_a_session_nobody_learns_what_else_is_wrong() {
    let world = World::with_record().await;
    let forged = "Bearer am1_AZu-AAAAZnVMKUpSlKUpSgGbvgAAALOxmqlKUpSlKUpQQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ";
    for (call, wrong) in [
        ("GET /v1/records", "limit=0"),
        ("GET /v1/records", "cursor=x"),
        ("GET /v1/records/{record_id}/appendices/{appendix_id}", "version=0"),
    ] {
        let without = Call::to(call).query(wrong).without_header("authorization");
        assert_eq!(world.send(without).await.status(), 401, "{call} {wrong}");
        let forged = Call::to(call).query(wrong).header("authorization", forged);
        assert_eq!(world.send(forged).await.status(), 401, "{call} {wrong}");
        assert_eq!(world.send(Call::to(call).query(wrong)).await.status(), 422, "{call} {wrong}");
    }
    for call in ["POST /v1/records", "PUT /v1/records/{record_id}"] {
        let bad = Call::to(call).raw_body("{").header("authorization", forged);
        assert_eq!(world.send(bad).await.status(), 401, "{call}");
        let unnamed = Call::to(call).without_header("idempotency-key").without_header("if-match");
        let unnamed = unnamed.header("authorization", forged);
        assert_eq!(world.send(unnamed).await.status(), 401, "{call}");
    }
    let viewer = Call::to("POST /v1/records").raw_body("{").by(Person::Viewer);
    assert_eq!(world.send(viewer).await.code(), "role_too_low");
}

#[tokio::test]
async fn a_line_that_is_too_long_is_refused() {
    let world = World::new().await;
    let quotes = "%22".repeat(15_000);
    let answer = client().post(url(&world, &format!("/v1/crashes/{quotes}"))).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::URI_TOO_LONG);
    let long = client().get(url(&world, &format!("/v1/policy?x={}", "x".repeat(20_000))));
    assert_eq!(long.send().await.unwrap().status(), StatusCode::URI_TOO_LONG);
}

#[tokio::test]
async fn a_header_that_is_no_text_is_not_taken_for_none() {
    let world = World::new().await;
    let mut sites = Call::to("POST /v1/sessions");
    sites.json["headers"]["sec-fetch-site"] = json!("\u{ff}");
    assert_eq!(world.send(sites).await.code(), "cross_site_request");
}

#[tokio::test]
async fn this_machine_answers_to_its_own_names_alone() {
    let world = World::new().await;
    for (host, status) in [("localhost", 200), ("127.0.0.1:1", 200), ("evil.example", 421)] {
        let answer = client().get(url(&world, "/v1/policy")).header("host", host).send().await;
        assert_eq!(answer.unwrap().status(), status, "{host}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_kept_is_its_owners_alone_and_no_link_is_followed() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::with_record().await;
    world.upload_photo().await;
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(world.folder()), 0o700);
    let mut looked_at = 0;
    for entry in std::fs::read_dir(world.folder()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
        looked_at += 1;
    }
    for entry in std::fs::read_dir(world.folder().join("objects")).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
    assert!(looked_at > 4);
    let folder = world.stop();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("recovery-points-2")).unwrap();
    let started = local::Cloud::start(&testing::world::options(folder.path())).await;
    let error = started.err().unwrap().to_string();
    assert!(error.contains("recovery-points-2 is a symbolic link"), "{error}");
}

#[tokio::test]
async fn what_was_written_once_is_not_written_over_by_a_link() {
    let world = World::with_record().await;
    let reserved = world.ask("POST /v1/records/{record_id}/appendices").await.body();
    let upload = &reserved["upload"];
    let put = |with: bool, bytes: &'static [u8]| {
        let headers = upload["headers"].as_object().unwrap().clone();
        let headers = headers.into_iter().filter(move |(name, _)| with || name != "if-none-match");
        let headers = headers.map(|(name, value)| (name, value.as_str().unwrap().to_owned()));
        testing::world::put(upload["url"].as_str().unwrap(), headers, bytes.to_vec())
    };
    assert_eq!(put(true, PHOTO).await.status(), 200);
    assert_eq!(put(true, PHOTO).await.status(), 412);
    assert_eq!(put(false, PHOTO).await.status(), 403);
}

#[tokio::test]
async fn what_comes_after_its_appendix_was_deleted_is_taken_away() {
    let world = World::with_record().await;
    let reserved = world.ask("POST /v1/records/{record_id}/appendices").await.body();
    let appendix = reserved["id"].as_str().unwrap();
    let delete = Call::to("DELETE /v1/records/{record_id}/appendices/{appendix_id}");
    let delete = delete.path("appendix_id", appendix);
    assert_eq!(world.send(delete).await.status(), 204);
    let upload = &reserved["upload"];
    let headers = upload["headers"].as_object().unwrap().iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
    let put = testing::world::put(upload["url"].as_str().unwrap(), headers, PHOTO.to_vec());
    assert_eq!(put.await.status(), 200);
    world.cloud.settle().await;
    let kept = world.bucket().list(None).await.unwrap().objects;
    assert!(kept.iter().all(|object| !object.key.contains(appendix)), "{kept:?}");
}

#[tokio::test]
async fn a_company_keeps_no_more_than_it_may_and_learns_how_much_it_keeps() {
    let world = World::with_record().await;
    let usage = async || world.ask("GET /v1/usage").await.body();
    assert_eq!(usage().await["used"], json!({ "bytes": PHOTO.len(), "versions": 1, "records": 1 }));
    let reserve = |n: u32, bytes: u64| {
        let call = Call::to("POST /v1/records/{record_id}/appendices").with("id", json!(null));
        let call = call.header("idempotency-key", &format!("reserve-{n}"));
        call.with("bytes", json!(bytes))
    };
    let gib = 1 << 30;
    let mut statuses = Vec::new();
    for n in 0..25 {
        statuses.push(world.send(reserve(n, gib)).await.status());
    }
    assert_eq!(statuses, [vec![201; 19], vec![413; 6]].concat());
    let refused = world.send(reserve(30, gib)).await;
    assert_eq!(refused.code(), "quota_exceeded");
    assert_eq!(
        usage().await["used"],
        json!({ "bytes": 19_u64 * gib + PHOTO.len() as u64, "versions": 20, "records": 1 })
    );
    // What is left is left.
    assert_eq!(world.send(reserve(31, 1)).await.status(), 201);
    // The other company has its own.
    assert_eq!(world.send(Call::to("POST /v1/records").by(Person::B)).await.status(), 201);
    let more = json!({ "customer": Person::A.customer(), "bytes": 100_u64 * gib });
    let set = world.cloud.invoke("set-quota", more).await.unwrap();
    assert_eq!(set["quota"]["versions"], set["before"]["versions"]);
    assert_eq!(world.send(reserve(32, gib)).await.status(), 201);
    assert_eq!(usage().await["quota"]["bytes"], 100_u64 * gib);
    // Of records, those that are deleted make room; fewer than there are take none away.
    let few = json!({ "customer": Person::A.customer(), "records": 2 });
    world.cloud.invoke("set-quota", few).await.unwrap();
    let create = |key: &str| Call::to("POST /v1/records").header("idempotency-key", key);
    assert_eq!(world.send(create("second")).await.status(), 201);
    assert_eq!(world.send(create("third")).await.code(), "quota_exceeded");
    assert_eq!(world.ask("DELETE /v1/records/{record_id}").await.status(), 204);
    assert_eq!(world.send(create("third")).await.status(), 201);
    let unknown = json!({ "customer": "01KEZ00000CSTMRZZZZZZZZZZZ", "records": 2 });
    assert!(world.cloud.invoke("set-quota", unknown).await.is_err());
}

/// Of a company from before the counting, what there is is counted with its first change.
#[tokio::test]
async fn what_a_company_had_before_it_was_counted_counts() {
    let world = World::with_record().await;
    world.upload_photo().await;
    for part in 0..=4 {
        let customer = Person::A.customer().to_string();
        operator::delete_item(&world.cloud, "RECORDS_TABLE", &customer, &format!("USAGE#{part}"))
            .await;
    }
    let used = json!({ "bytes": PHOTO.len(), "versions": 1, "records": 1 });
    assert_eq!(world.ask("GET /v1/usage").await.body()["used"], used);
    let create = Call::to("POST /v1/records").header("idempotency-key", "next");
    assert_eq!(world.send(create).await.status(), 201);
    let used = json!({ "bytes": PHOTO.len(), "versions": 1, "records": 2 });
    assert_eq!(world.ask("GET /v1/usage").await.body()["used"], used);
}

#[tokio::test]
async fn a_browser_that_several_share_keeps_nothing_of_the_one_before() {
    let world = World::with_record().await;
    let log_in = |key: &str| {
        let call = Call::to("POST /v1/sessions cookie").header("idempotency-key", key);
        call.header("sec-fetch-site", "same-origin")
    };
    let cookie_of = |answer: &testing::world::Answer| {
        let set = answer.0["cookies"][0].as_str().unwrap_or_else(|| answer.header("set-cookie"));
        set.split(';').next().unwrap().to_owned()
    };
    let first = cookie_of(&world.send(log_in("one")).await);
    let ask = |cookie: &str| {
        let ask = Call::to("GET /v1/session").cookie(cookie);
        world.send(ask)
    };
    assert_eq!(ask(&first).await.status(), 200);
    let second = world.send(log_in("two").cookie(&first)).await;
    assert_eq!(second.status(), 201);
    assert_eq!(ask(&first).await.status(), 401, "whoever sat there before is logged out");
    let second = cookie_of(&second);
    // By token, a browser's cookie is left alone.
    let by_token = world.ask("DELETE /v1/session").await;
    assert_eq!((by_token.status(), by_token.header("clear-site-data")), (204, ""));
    assert!(by_token.0["cookies"].as_array().is_none_or(Vec::is_empty));
    let out =
        Call::to("DELETE /v1/session").cookie(&second).header("sec-fetch-site", "same-origin");
    let out = world.send(out).await;
    assert_eq!((out.status(), out.header("clear-site-data")), (204, "\"cache\""));
    assert_eq!(ask(&second).await.status(), 401);
}

#[tokio::test]
async fn a_page_of_another_origin_may_report_a_crash() {
    let world = World::new().await;
    for path in ["/v1/crashes", "/v1/crashes/", "/v1/crashes/api/42/envelope/"] {
        let asked = client().request(Method::OPTIONS, url(&world, path));
        let asked = asked.header("origin", "https://shop.example").send().await.unwrap();
        assert_eq!(asked.status(), 204, "{path}");
        assert_eq!(asked.headers()["access-control-allow-origin"], "*");
        assert!(
            asked.headers()["access-control-allow-headers"]
                .to_str()
                .unwrap()
                .contains("x-sentry-auth")
        );
    }
    // Of a DSN that is not ours, no page reads anything.
    let refused = client().post(url(&world, "/v1/crashes")).body("{}\n").send().await.unwrap();
    assert!(refused.status().is_client_error());
}

#[tokio::test]
async fn a_part_of_a_file_is_what_http_says_it_is() {
    let world = World::with_record().await;
    world.upload_photo().await;
    let link = world.ask("GET /v1/records/{record_id}/appendices/{appendix_id}").await.body();
    let link = link["download"]["url"].as_str().unwrap().to_owned();
    let whole = client().get(&link).send().await.unwrap();
    let etag = whole.headers()["etag"].to_str().unwrap().to_owned();
    let get = async |range: &str, if_range: Option<&str>| {
        let mut get = client().get(&link).header("range", range);
        if let Some(seen) = if_range {
            get = get.header("if-range", seen);
        }
        let answer = get.send().await.unwrap();
        let status = answer.status().as_u16();
        let range = answer.headers().get("content-range").map(|it| it.to_str().unwrap().to_owned());
        (status, range, answer.bytes().await.unwrap())
    };
    let size = PHOTO.len();
    let (status, range, bytes) = get("bytes=2-4", None).await;
    assert_eq!((status, range, &bytes[..]), (206, Some(format!("bytes 2-4/{size}")), &PHOTO[2..5]));
    assert_eq!(get("bytes=2-4", Some(&etag)).await.0, 206);
    for (range, seen) in [
        ("bytes=0-1,5-6", None),
        ("bytes=5-2", None),
        ("lines=1-2", None),
        ("bytes=2-4", Some("\"x\"")),
        ("bytes=2-4", Some("Fri, 27 Nov 2026 00:00:00 GMT")),
    ] {
        let (status, content_range, bytes) = get(range, seen).await;
        assert_eq!((status, content_range, &bytes[..]), (200, None, PHOTO), "{range} {seen:?}");
    }
    let (status, range, _) = get("bytes=1000-", None).await;
    assert_eq!((status, range), (416, Some(format!("bytes */{size}"))));
    let (long_ago, far_ahead) = ("Fri, 01 Jan 2016 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT");
    for (conditions, expected) in [
        (vec![("if-match", etag.as_str())], 200),
        (vec![("if-match", "*")], 200),
        (vec![("if-match", "\"x\"")], 412),
        (vec![("if-none-match", etag.as_str())], 304),
        (vec![("if-none-match", "\"x\"")], 200),
        (vec![("if-modified-since", far_ahead)], 304),
        (vec![("if-modified-since", long_ago)], 200),
        (vec![("if-unmodified-since", long_ago)], 412),
        (vec![("if-unmodified-since", far_ahead)], 200),
        // A tag says more than a time.
        (vec![("if-none-match", "\"x\""), ("if-modified-since", far_ahead)], 200),
        (vec![("if-match", etag.as_str()), ("if-unmodified-since", long_ago)], 200),
        (vec![("if-match", "\"x\""), ("if-none-match", etag.as_str())], 412),
    ] {
        let get = conditions
            .iter()
            .fold(client().get(&link), |get, (name, value)| get.header(*name, *value));
        assert_eq!(get.send().await.unwrap().status(), expected, "{conditions:?}");
    }
}
