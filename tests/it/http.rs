//! Over real HTTP: what a client and API Gateway's shape make of each other.

use serde_json::{Value, json};

use testing::world::{Call, PASSWORD, Person, World};

struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    fn of(world: &World) -> Self {
        Self { http: reqwest::Client::new(), base: format!("http://{}", world.cloud.address()) }
    }

    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.get(format!("{}{path}", self.base))
    }

    fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("{}{path}", self.base)).header("idempotency-key", "k1")
    }
}

#[tokio::test]
async fn every_answer_forbids_sniffing_caching_and_plain_http() {
    let world = World::new().await;
    let client = Client::of(&world);
    for request in [
        client.get("/v1/session"),
        client.get("/v1/session").bearer_auth(Person::A.token().expose()),
    ] {
        let answer = request.send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert!(header("strict-transport-security").starts_with("max-age=63072000"));
    }
}

#[tokio::test]
async fn an_unknown_route_is_404_and_a_body_beyond_the_gateway_is_413() {
    let world = World::new().await;
    let client = Client::of(&world);
    for path in [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/nothing",
        "/assets/nothing.js",
        "/v1/records/",
        "/v2/records",
    ] {
        assert_eq!(client.get(path).send().await.unwrap().status(), 404, "{path}");
    }
    let huge = client.post("/v1/records").body(vec![b' '; 10 * 1024 * 1024 + 1]);
    assert_eq!(huge.send().await.unwrap().status(), 413);
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused_as_json() {
    let world = World::new().await;
    let request = Client::of(&world)
        .post("/v1/records")
        .bearer_auth(Person::A.token().expose())
        .header("content-type", "application/json")
        .body(vec![b'{', 0xff, 0xfe, b'}']);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "malformed_json");
    assert!(!problem["request_id"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn cookies_and_bearer_tokens_open_the_same_session() {
    let world = World::new().await;
    let client = Client::of(&world);
    let body = json!({"email": "a@example.com", "password": PASSWORD, "delivery": "cookie"});
    let answer = client.post("/v1/sessions").json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    let pair = cookie.split(';').next().unwrap();
    let with_cookie = client.get("/v1/session").header("cookie", format!("theme=dark; {pair}"));
    assert_eq!(with_cookie.send().await.unwrap().status(), 200);
    let token = pair.split_once('=').unwrap().1;
    assert_eq!(client.get("/v1/session").bearer_auth(token).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_hostile_request_line_or_host_is_answered_and_harms_nobody() {
    let world = World::with_record().await;
    for (query, host, forwarded) in [
        ("x=\"<>#", "127.0.0.1", "https"),
        ("limit=%zz&cursor=å", "127.0.0.1", "https"),
        ("", "a b", "https"),
        ("", "[::1", "https"),
        ("", "127.0.0.1:99999", "https"),
        ("", "1.2.3.999", "https"),
        ("", "[::1]:80", "https"),
        ("", "[::ffff:1.2.3.4]", "https"),
        ("", "3dprinter:3000", "https"),
        ("", "host:", "https"),
        ("", "0x7f.0x", "https"),
        ("", "127.0.0.1", "ht tp"),
    ] {
        let event = Call::to("GET /v1/records/{record_id}").query(query);
        let event = event.header("host", host).header("x-forwarded-proto", forwarded);
        assert_eq!(world.send(event).await.status(), 200, "{query:?} {host:?} {forwarded:?}");
    }
}
