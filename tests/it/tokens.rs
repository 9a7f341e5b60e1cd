//! API tokens: programs that work in a company's name, within a role and a scope.

use std::collections::BTreeMap;
use std::time::Duration;

use am_http::Access;
use domain::{Role, Scope};
use serde_json::{Value, json};
use testing::world::{Answer, Call, Person, UNKNOWN_ID, World, machine_token};

fn make(role: &str, scopes: &[&str]) -> Call {
    let key = format!("token-{role}-{}", scopes.join("-"));
    let call = Call::to("POST /v1/tokens").with("role", json!(role));
    call.with("scopes", json!(scopes)).header("idempotency-key", &key)
}

fn by(call: Call, token: &Value) -> Call {
    call.header("authorization", &format!("Bearer {}", token.as_str().unwrap()))
}

async fn listed(world: &World, id: &Value) -> Value {
    let answer = world.ask("GET /v1/tokens").await.body();
    answer["tokens"].as_array().unwrap().iter().find(|it| it["id"] == *id).unwrap().clone()
}

#[tokio::test]
async fn a_program_works_by_a_token_and_is_seen_in_what_it_did() {
    let mut world = World::new().await;
    let made = world.send(make("member", &["records", "appendices"])).await;
    assert_eq!(made.status(), 201, "{made:?}");
    let (made, repeated) =
        (made.body(), world.send(make("member", &["records", "appendices"])).await.body());
    assert!(made["token"].as_str().unwrap().starts_with("am1t_"));
    assert_eq!((&repeated["id"], &repeated["token"]), (&made["id"], &json!(null)));
    assert_eq!(listed(&world, &made["id"]).await["used_at"], json!(null));

    world.now = world.now.after(Duration::from_secs(1));
    let created = world.send(by(Call::to("POST /v1/records"), &made["token"])).await;
    assert_eq!(created.status(), 201, "{created:?}");
    assert_eq!(created.body()["changed_by"], made["id"]);
    let seen = listed(&world, &made["id"]).await;
    assert_eq!((&seen["name"], &seen["used_at"]), (&json!("ERP"), &json!(world.now)));
    assert_eq!(seen["revoked"], false);
    // It is noted once an hour.
    world.now = world.now.after(Duration::from_secs(60));
    world.send(by(Call::to("GET /v1/records"), &made["token"])).await;
    assert_eq!(listed(&world, &made["id"]).await, seen);
    // It is no person.
    let people = world.ask("GET /v1/people").await.body().to_string();
    assert!(!people.contains(made["id"].as_str().unwrap()), "{people}");
    let id = made["id"].as_str().unwrap();
    for call in [Call::to("PUT /v1/people/{user_id}"), Call::to("DELETE /v1/people/{user_id}")] {
        let call = call.path("user_id", id).header("if-match", "\"1\"");
        assert_eq!(world.send(call).await.status(), 404);
    }
}

#[tokio::test]
async fn a_token_ends_when_it_is_revoked_or_old_or_its_company_is_suspended() {
    let mut world = World::new().await;
    world.let_program_in(Role::Member, &[Scope::Records]).await;
    let token = || json!(machine_token().expose());
    let read = || by(Call::to("GET /v1/records"), &token());
    assert_eq!(world.send(read()).await.status(), 200);
    for (reason, status) in [(json!("unpaid"), 401), (json!(null), 200)] {
        let order = json!({ "customer": Person::A.customer(), "reason": reason });
        world.cloud.invoke("suspend-customer", order).await.unwrap();
        assert_eq!(world.send(read()).await.status(), status, "{reason}");
    }
    world.log_in_again(Person::A).await;
    let now = world.now;
    world.now = now.after(Duration::from_secs(24 * 60 * 60));
    assert_eq!(world.send(read()).await.status(), 401, "it is too old");
    world.now = now;
    for _ in 0..2 {
        assert_eq!(world.ask("DELETE /v1/tokens/{token_id}").await.status(), 204);
        assert_eq!(world.send(read()).await.status(), 401);
    }
    let seen = listed(&world, &json!(machine_token().user)).await;
    assert_eq!(seen["revoked"], true);
    let person = Person::Member.user().to_string();
    for id in [person.as_str(), UNKNOWN_ID, "x"] {
        let call = Call::to("DELETE /v1/tokens/{token_id}").path("token_id", id);
        assert_eq!(world.send(call).await.status(), 404, "{id}");
    }
}

#[tokio::test]
async fn a_forged_token_opens_nothing() {
    let world = World::new().await;
    let good = world.let_program_in(Role::Member, &[Scope::Records]).await.expose();
    let bytes = good.strip_prefix("am1t_").unwrap();
    let mut other = good.clone();
    other.replace_range(
        good.len() - 2..good.len() - 1,
        if good.ends_with("0Q") { "1" } else { "0" },
    );
    // A session's secret is no token's, nor the other way round, whatever they start with.
    let session = Person::A.token().expose();
    let as_token = session.replace("am1_", "am1t_");
    for forged in [&format!("am1_{bytes}"), &other, &as_token, "am1t_", "am1t_AAAA"] {
        let answer = world.send(by(Call::to("GET /v1/records"), &json!(forged))).await;
        assert_eq!((answer.status(), answer.code()), (401, "no_session".to_owned()), "{forged}");
    }
    // Having been used, it is no session either.
    assert_eq!(world.send(by(Call::to("GET /v1/records"), &json!(good))).await.status(), 200);
    let as_session = json!(format!("am1_{bytes}"));
    assert_eq!(world.send(by(Call::to("GET /v1/records"), &as_session)).await.status(), 401);
}

#[tokio::test]
async fn a_bad_wish_for_a_token_names_its_field() {
    let world = World::new().await;
    let with = |name, value| make("member", &["records"]).with(name, value);
    for (call, field) in [
        (with("scopes", json!([])), "/scopes"),
        (with("scopes", json!(["records", "moon"])), "/scopes/1"),
        (with("scopes", json!(vec!["records"; 5])), "/scopes"),
        (with("role", json!("owner")), "/role"),
        (with("role", json!("admin")).by(Person::Admin).with("days", json!(0)), "/days"),
        (with("days", json!(731)), "/days"),
        (with("name", json!("")), "/name"),
        (with("name", json!("x\u{202e}y")), "/name"),
        (with("secret", json!("x")), "/secret"),
    ] {
        let answer = world.send(call).await;
        assert_eq!(answer.problem(), (422, "invalid_field".into(), field.into()));
    }
}

/// What a token of every role and every scope may ask for, held against what the endpoints declare.
#[tokio::test]
async fn a_token_is_good_for_its_role_and_scope_and_for_nothing_else() {
    let world = World::with_record().await;
    let mut cells = 0;
    for role in [Role::Viewer, Role::Member, Role::Admin] {
        for scope in Scope::ALL {
            let made = world.send(make(&role.to_string(), &[scope.name()])).await.body();
            for function in am_service::all() {
                let Some(endpoint) = function.endpoint else { continue };
                let Access::Session(least) = endpoint.access else { continue };
                for route in endpoint.declaration.routes {
                    let call = Call::to(&route.key()).by(Person::A);
                    // Nothing is changed: what the door lets through finds something wrong with the body or the version.
                    let call = by(call, &made["token"]).raw_body("{").without_header("if-match");
                    let answer = world.send(call).await;
                    let expected = expected(role, scope, least, Scope::of(route.path));
                    let code = refusal(&answer);
                    assert_eq!(code, expected, "{role} {scope:?} {}", route.key());
                    cells += 1;
                }
            }
        }
    }
    println!("{cells} cells");
    assert!(cells > 300, "{cells}");
}

fn expected(role: Role, scope: Scope, least: Role, needed: Option<Scope>) -> Option<&'static str> {
    if role < least {
        return Some("role_too_low");
    }
    (needed != Some(scope)).then_some("not_in_scope")
}

/// Why the door did not open, if it did not.
fn refusal(answer: &Answer) -> Option<&'static str> {
    let refusals = BTreeMap::from([
        ("role_too_low", "role_too_low"),
        ("not_in_scope", "not_in_scope"),
        ("no_session", "no_session"),
    ]);
    if answer.status() < 400 {
        return None;
    }
    refusals.get(answer.code().as_str()).copied()
}

#[tokio::test]
async fn a_company_has_a_hundred_tokens_that_are_good_and_no_more() {
    let world = World::new().await;
    let nth = |n: u32| make("viewer", &["records"]).header("idempotency-key", &format!("t-{n}"));
    let mut first = json!(null);
    for n in 0..100 {
        let made = world.send(nth(n)).await;
        assert_eq!(made.status(), 201, "{n}");
        if n == 0 {
            first = made.body()["id"].clone();
        }
    }
    let refused = world.send(nth(100)).await;
    assert_eq!((refused.status(), refused.code()), (409, "too_many_tokens".to_owned()));
    let revoke = Call::to("DELETE /v1/tokens/{token_id}").path("token_id", first.as_str().unwrap());
    assert_eq!(world.send(revoke).await.status(), 204);
    assert_eq!(world.send(nth(100)).await.status(), 201);
}
