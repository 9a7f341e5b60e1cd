//! Sign-up, log-in, sessions.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::SignInName;
use serde_json::json;

use testing::world::{Answer, Call, PASSWORD, Person, World};

async fn log_in(world: &World, event: Call) -> Answer {
    let answer = world.send(event).await;
    assert_eq!(answer.status(), 201, "{answer:?}");
    answer
}

fn with_token(event: &str, token: &str) -> Call {
    Call::to(event).header("authorization", &format!("Bearer {token}"))
}

#[tokio::test]
async fn signing_up_creates_a_company_and_its_owner_who_can_log_in() {
    let world = World::new().await;
    let signed_up = world.ask("POST /v1/customers").await;
    assert_eq!(signed_up.status(), 201, "{signed_up:?}");
    let body = signed_up.body();
    assert_eq!(body["user"]["role"], "owner");
    let event = Call::to("POST /v1/sessions").with("email", json!("EVA@verkstad-norr.example"));
    let token = log_in(&world, event).await.body()["token"].as_str().unwrap().to_owned();
    let me = world.send(with_token("GET /v1/session", &token)).await.body();
    assert_eq!((&me["user"], &me["customer"]), (&body["user"], &body["customer"]));
}

#[tokio::test]
async fn a_repeated_sign_up_is_one_customer_and_a_second_one_is_refused() {
    let world = World::new().await;
    let first = world.ask("POST /v1/customers").await;
    let again = world.ask("POST /v1/customers").await;
    assert_eq!((again.status(), again.body()), (201, first.body()));
    let other = Call::to("POST /v1/customers").header("idempotency-key", "sign-up-2");
    assert_eq!(world.send(other).await.problem(), (409, "email_taken".into(), String::new()));
    let changed = Call::to("POST /v1/customers").with("password", json!("three lathes and a saw"));
    assert_eq!(world.send(changed).await.code(), "idempotency_key_reused");
}

#[tokio::test]
async fn a_sign_up_with_a_bad_field_names_it() {
    let world = World::new().await;
    let event = || Call::to("POST /v1/customers");
    for (event, field) in [
        (Call::to("POST /v1/customers weak_password"), "/password"),
        (event().with("password", json!("kort")), "/password"),
        (event().with("password", json!("eva@verkstad-norr.example")), "/password"),
        (event().with("password", json!("å".repeat(129))), "/password"),
        (event().with("company", json!(" ")), "/company"),
        (event().with("name", json!("x".repeat(101))), "/name"),
        (event().with("role", json!("owner")), "/role"),
    ] {
        assert_eq!(world.send(event).await.problem(), (422, "invalid_field".into(), field.into()));
    }
    let body = world.ask("POST /v1/customers weak_password").await.0.to_string();
    assert!(!body.contains("passwordpassword"), "a password is never repeated");
}

#[tokio::test]
async fn login_answers_an_unknown_email_like_a_wrong_password() {
    let world = World::new().await;
    let wrong = world.ask("POST /v1/sessions wrong_password").await;
    let unknown = world.ask("POST /v1/sessions unknown_email").await;
    assert_eq!(wrong.problem(), (401, "wrong_login".into(), String::new()));
    assert_eq!(wrong.0, unknown.0);
}

#[tokio::test]
async fn guessing_is_slowed_down_and_nobody_else_is_locked_out() {
    let world = World::new().await;
    let guess = |n: u64| {
        Call::to("POST /v1/sessions wrong_password").header("idempotency-key", &format!("g{n}"))
    };
    for n in 0..10 {
        assert_eq!(world.send(guess(n)).await.status(), 401);
    }
    let refused = world.send(guess(10)).await;
    assert_eq!(refused.problem(), (429, "too_many_attempts".into(), String::new()));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=900).contains(&wait), "{wait}");
    let right = Call::to("POST /v1/sessions");
    assert_eq!(world.send(right.clone()).await.status(), 429, "not even the right one, from there");
    log_in(&world, right.clone().source("198.51.100.1")).await;
    let later = world.now.after(Duration::from_secs(wait));
    log_in(&world, right.later(later).header("idempotency-key", "after")).await;
}

#[tokio::test]
async fn a_whole_ipv6_network_counts_as_one_source_and_success_forgets_failures() {
    let world = World::new().await;
    let from = |case: &str, n: u64| {
        Call::to(case)
            .header("idempotency-key", &format!("g{n}"))
            .source(&format!("2001:db8:1:2:{n:x}::1"))
    };
    for n in 0..9 {
        assert_eq!(world.send(from("POST /v1/sessions wrong_password", n)).await.status(), 401);
    }
    log_in(&world, from("POST /v1/sessions", 9)).await;
    for n in 10..20 {
        assert_eq!(world.send(from("POST /v1/sessions wrong_password", n)).await.status(), 401);
    }
    assert_eq!(world.send(from("POST /v1/sessions wrong_password", 20)).await.status(), 429);
}

#[tokio::test]
async fn who_logs_in_again_and_again_is_not_refused() {
    let world = World::new().await;
    for n in 0..12 {
        let again = Call::to("POST /v1/sessions").header("idempotency-key", &format!("again-{n}"));
        log_in(&world, again).await;
    }
}

#[tokio::test]
async fn parallel_guesses_count_too() {
    let world = World::new().await;
    let guess = |n: u64| {
        Call::to("POST /v1/sessions wrong_password").header("idempotency-key", &format!("g{n}"))
    };
    let guesses = (0..30).map(|n| world.send(guess(n)));
    let answers = futures_util::future::join_all(guesses).await;
    let checked = answers.iter().filter(|answer| answer.status() == 401).count();
    assert_eq!(checked, 10);

    // The next window gives ten more, not one to each of those who come at once.
    let later = world.now.after(Duration::from_secs(16 * 60));
    let guesses = (30..60).map(|n| world.send(guess(n).later(later)));
    let answers = futures_util::future::join_all(guesses).await;
    let checked = answers.iter().filter(|answer| answer.status() == 401).count();
    assert_eq!(checked, 10);
}

#[tokio::test]
async fn trying_every_account_from_one_source_is_slowed_down_too() {
    let world = World::new().await;
    // Counted by the store: five hundred log-ins would take five hundred hashes.
    for n in 0..500 {
        let email = somebody(n);
        let attempt = world.store.attempt_sign_up(&email, "192.0.2.7", world.now);
        assert_eq!(attempt.await.unwrap().refused_for(world.now), None, "try {n}");
    }
    assert_eq!(world.ask("POST /v1/sessions").await.status(), 429);
    assert_eq!(world.ask("POST /v1/customers").await.status(), 429);
    log_in(&world, Call::to("POST /v1/sessions").source("198.51.100.1")).await;
}

/// Somebody else's address.
fn somebody(n: u32) -> SignInName {
    format!("a{n}@verkstad-norr.example").try_into().unwrap()
}

#[tokio::test]
async fn a_repeated_sign_up_tells_no_more_of_a_password_than_a_log_in() {
    let world = World::new().await;
    assert_eq!(world.ask("POST /v1/customers").await.status(), 201);
    let mut statuses = BTreeMap::<u64, u32>::new();
    for n in 0..30 {
        let guess = Call::to("POST /v1/customers")
            .with("password", json!(format!("two mills {n} and a lathe")));
        *statuses.entry(world.send(guess).await.status()).or_default() += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(422, 9), (429, 21)]));
    assert_eq!(world.ask("POST /v1/customers").await.status(), 429, "nor of the right one");
}

#[tokio::test]
async fn a_shift_that_logs_in_from_one_address_locks_nobody_out() {
    let world = World::new().await;
    for n in 0..480 {
        let attempt =
            world.store.attempt_sign_up(&somebody(n), "192.0.2.7", world.now).await.unwrap();
        assert_eq!(attempt.refused_for(world.now), None);
    }
    for n in 0..40 {
        let again = Call::to("POST /v1/sessions").header("idempotency-key", &format!("shift-{n}"));
        log_in(&world, again).await;
    }
    // Wrong ones are still counted.
    for n in 0..20 {
        let email = somebody(1000 + n);
        let attempt = world.store.attempt_sign_up(&email, "192.0.2.7", world.now);
        assert_eq!(attempt.await.unwrap().refused_for(world.now), None, "try {n}");
    }
    assert_eq!(world.ask("POST /v1/sessions").await.status(), 429);
}

#[tokio::test]
async fn guessing_at_one_account_leaves_others_from_there_their_tries() {
    let world = World::new().await;
    let tried = async |email: &str, source: &str, now| {
        let email = email.to_owned().try_into().unwrap();
        let (attempt, _) = world.attempt_login(&email, source, now).await;
        attempt.refused_for(now).is_none()
    };
    let (source, now) = ("192.0.2.7", world.now);
    let mut made = 0;
    for _ in 0..510 {
        made += u32::from(tried("eva@verkstad-norr.example", source, now).await);
    }
    assert_eq!(made, 10);
    assert!(tried("ola@verkstad-norr.example", source, now).await);
    // Other addresses use up the rest of the source's 500.
    for n in 0..489 {
        assert!(tried(&format!("a{n}@verkstad-norr.example"), source, now).await, "address {n}");
    }
    assert!(!tried("b@verkstad-norr.example", source, now).await);
    assert!(!tried("ola@verkstad-norr.example", source, now).await);
    assert!(tried("ola@verkstad-norr.example", "192.0.2.8", now).await);
}

#[tokio::test]
async fn forgetting_one_account_leaves_the_others_and_makes_nothing() {
    let world = World::new().await;
    let (a, b) = (Person::A.email().into(), Person::B.email().into());
    let (source, now) = ("192.0.2.7", world.now);
    let attempt = async |email, now| world.attempt_login(email, source, now).await.0;
    for _ in 0..9 {
        attempt(&a, now).await;
        attempt(&b, now).await;
    }
    let (right, _) = (attempt(&a, now).await, attempt(&b, now).await);
    world.store.forget_attempts(&right, &a).await.unwrap();
    // Forgotten already, as when time to live has deleted the item.
    world.store.forget_attempts(&right, &a).await.unwrap();
    assert!(attempt(&a, now).await.refused_for(now).is_none());
    assert!(attempt(&b, now).await.refused_for(now).is_some());
    // Of the source, all are still counted but the right one: nineteen, and the one after it.
    let tried = async |n| {
        let attempt = world.store.attempt_sign_up(&somebody(n), source, now).await.unwrap();
        attempt.refused_for(now).is_none()
    };
    for n in 20..500 {
        assert!(tried(n).await, "try {n}");
    }
    assert!(!tried(500).await);
}

#[tokio::test]
async fn tries_are_counted_in_quarters_of_an_hour_by_the_clock() {
    let world = World::new().await;
    let email = Person::A.email().into();
    let attempt = async |now| world.attempt_login(&email, "192.0.2.7", now).await.0;
    let quarter = Duration::from_secs(15 * 60);
    let start = world.now.start_of(quarter);
    let last = start.after(quarter - Duration::from_millis(1));
    for _ in 0..5 {
        assert_eq!(attempt(start).await.refused_for(start), None);
        assert_eq!(attempt(last).await.refused_for(last), None);
    }
    assert_eq!(attempt(start).await.refused_for(start), Some(quarter));
    assert_eq!(attempt(last).await.refused_for(last), Some(Duration::from_millis(1)));
    let next = start.after(quarter);
    for _ in 0..10 {
        assert_eq!(attempt(next).await.refused_for(next), None);
    }
    assert_eq!(attempt(next).await.refused_for(next), Some(quarter));
}

#[tokio::test]
async fn each_login_is_a_session_of_its_own_and_a_repeated_one_is_the_same() {
    let world = World::new().await;
    let event = || Call::to("POST /v1/sessions");
    let token = |answer: &Answer| answer.body()["token"].as_str().unwrap().to_owned();
    let first = log_in(&world, event()).await;
    let again = log_in(&world, event()).await;
    let other = log_in(&world, event().header("idempotency-key", "log-in-2")).await;
    assert_eq!(first.body(), again.body());
    assert_ne!(token(&first), token(&other));

    let out = world.send(with_token("DELETE /v1/session", &token(&first))).await;
    assert_eq!(out.status(), 204);
    assert_eq!(world.send(with_token("GET /v1/session", &token(&first))).await.status(), 401);
    assert_eq!(world.send(with_token("GET /v1/session", &token(&other))).await.status(), 200);
    let revived = world.send(event()).await;
    assert_eq!(revived.problem(), (409, "session_ended".into(), String::new()));
}

#[tokio::test]
async fn sessions_end_when_idle_and_when_old_and_use_keeps_them() {
    let world = World::new().await;
    let at = |days: u64| {
        let later = world.now.after(Duration::from_secs(days * 24 * 60 * 60));
        world.send(Call::to("GET /v1/session").later(later))
    };
    let idle = |person: Person, days: u64| {
        let later = world.now.after(Duration::from_secs(days * 24 * 60 * 60));
        world.send(Call::to("GET /v1/session").by(person).later(later))
    };
    assert_eq!(idle(Person::B, 7).await.status(), 401, "idle for a week");
    for day in [6, 12, 18, 24, 29] {
        assert_eq!(at(day).await.status(), 200, "day {day}");
    }
    assert_eq!(at(30).await.status(), 401, "thirty days after the log-in");
}

#[tokio::test]
async fn a_cookie_session_is_safe_from_scripts_and_from_other_sites() {
    let world = World::with_record().await;
    let answer = log_in(&world, Call::to("POST /v1/sessions cookie")).await;
    assert!(answer.body().get("token").is_none());
    let cookie = answer.0["cookies"][0].as_str().unwrap().to_owned();
    for attribute in ["__Host-session=am1_", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert_eq!(answer.header("cache-control"), "no-store");
    let hour_later = world.now.after(Duration::from_secs(3600));
    let again = log_in(&world, Call::to("POST /v1/sessions cookie").later(hour_later)).await;
    let max_age = format!("Max-Age={}", 30 * 24 * 3600 - 3600);
    assert!(again.0["cookies"][0].as_str().unwrap().ends_with(&max_age), "{again:?}");
    let pair = cookie.split(';').next().unwrap();
    let read = Call::to("GET /v1/records/{record_id}").cookie(pair);
    assert_eq!(world.send(read).await.status(), 200);
    let beside = format!("name=\u{c5}sa; {pair}");
    let read = Call::to("GET /v1/records/{record_id}").cookie(&beside);
    assert_eq!(world.send(read).await.status(), 200, "another site's cookie does not hide ours");
    let change = || Call::to("POST /v1/records").cookie(pair);
    for other_site in [
        change().header("sec-fetch-site", "cross-site"),
        change().header("sec-fetch-site", "same-site"),
        change().header("sec-fetch-site", "cross-site").header("origin", "http://127.0.0.1:3000"),
        change().header("origin", "https://evil.example"),
        change().header("origin", "null"),
    ] {
        let answer = world.send(other_site).await;
        assert_eq!(answer.problem(), (403, "cross_site_request".into(), String::new()));
    }
    for (n, ours) in [
        change().header("sec-fetch-site", "same-origin"),
        change().header("origin", "http://127.0.0.1:3000"),
        change(),
    ]
    .into_iter()
    .enumerate()
    {
        let ours = ours.header("idempotency-key", &format!("ours-{n}"));
        assert_eq!(world.send(ours).await.status(), 201);
    }
    let other_site = Call::to("POST /v1/sessions cookie").header("sec-fetch-site", "cross-site");
    assert_eq!(world.send(other_site).await.code(), "cross_site_request");

    let out = world.send(Call::to("DELETE /v1/session").cookie(pair)).await;
    assert_eq!(out.status(), 204);
    assert!(out.0["cookies"][0].as_str().unwrap().contains("Max-Age=0"));
    assert_eq!(
        world.send(Call::to("GET /v1/records/{record_id}").cookie(pair)).await.status(),
        401
    );
}

#[tokio::test]
async fn what_is_no_session_opens_nothing() {
    let world = World::with_record().await;
    let good = Person::A.token().expose();
    let stranger =
        domain::SessionToken::new(Person::A.token().customer, Person::A.token().user, [1; 32]);
    let stolen =
        domain::SessionToken::new(Person::A.token().customer, Person::B.token().user, [b'B'; 32]);
    for authorization in [
        "".to_owned(),
        "Bearer".to_owned(),
        "Bearer x".to_owned(),
        format!("Basic {good}"),
        good.clone(),
        format!("Bearer {}", stranger.expose()),
        format!("Bearer {}", stolen.expose()),
        format!("Bearer {good}A"),
    ] {
        let event = Call::to("GET /v1/records/{record_id}").header("authorization", &authorization);
        let answer = world.send(event).await;
        assert_eq!(answer.problem(), (401, "no_session".into(), String::new()), "{authorization}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let scheme =
        Call::to("GET /v1/records/{record_id}").header("authorization", &format!("bearer  {good}"));
    assert_eq!(world.send(scheme).await.status(), 200, "schemes are case-insensitive");
}

#[tokio::test]
async fn the_stored_password_is_a_peppered_argon2id_hash_and_no_revision_has_it() {
    let world = World::new().await;
    world.ask("POST /v1/customers").await;
    let email = "eva@verkstad-norr.example".to_owned().try_into().unwrap();
    let (_, login) = world.attempt_login(&email, "test", world.now).await;
    let stored = login.unwrap().password;
    assert!(stored.as_stored().starts_with("$argon2id$v=19$m=19456,t=2,p=1,keyid=v1$"));
    let dump = std::fs::read(world.folder().join("dynamodb.sqlite-wal")).unwrap();
    let holds = |text: &str| dump.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("argon2id"), "the log of the database is what we looked into");
    assert!(!holds(PASSWORD), "no password is stored");

    assert!(!holds(&Person::A.token().expose()), "no token is stored");
}
