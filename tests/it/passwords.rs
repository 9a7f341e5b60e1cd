//! Passwords that change or were forgotten, and the sessions that end by it.

use futures_util::future::join_all;
use serde_json::{Value, json};

use testing::world::{Call, PASSWORD, Person, World};

use crate::people::{MORNING, code, invite, log_in, with};

#[tokio::test]
async fn of_fifty_changes_of_one_password_at_once_one_wins_and_all_other_sessions_end() {
    let world = World::new().await;
    // A person of two companies, who is logged in at both, and at one of them twice.
    let invited = world.send(invite("member").by(Person::A)).await.body();
    let join = Call::to("POST /v1/memberships").with("token", invited["token"].clone());
    assert_eq!(world.send(join).await.status(), 201);
    let mut tokens = Vec::new();
    for (n, customer) in [Person::A, Person::B, Person::B].iter().enumerate() {
        let call =
            log_in("b@example.com", PASSWORD).with("customer_id", json!(customer.customer()));
        let session = world.send(call.header("idempotency-key", &format!("s{n}"))).await;
        assert_eq!(session.status(), 201, "{session:?}");
        tokens.push(session.body()["token"].clone());
    }
    let change = |n: usize| {
        let call = Call::to("PUT /v1/password").source(&format!("198.51.100.{n}"));
        let call = call.with("new_password", json!(format!("a lathe number {n} in the morning")));
        world.send(with(call, &tokens[1]))
    };
    let answers = join_all((0..50).map(change)).await;
    let won: Vec<usize> = (0..50).filter(|n| answers[*n].status() == 204).collect();
    let lost = answers.iter().filter(|it| it.status() == 401 && it.code() == "wrong_login");
    assert_eq!((won.len(), lost.count()), (1, 49), "{answers:?}");
    for (token, status) in [(&tokens[0], 401), (&tokens[1], 200), (&tokens[2], 401)] {
        assert_eq!(world.send(with(Call::to("GET /v1/session"), token)).await.status(), status);
    }
    let old = log_in("b@example.com", PASSWORD).header("idempotency-key", "old");
    assert_eq!(world.send(old).await.status(), 401);
    let new = format!("a lathe number {} in the morning", won[0]);
    let new = log_in("b@example.com", &new).with("customer_id", json!(Person::B.customer()));
    assert_eq!(world.send(new.header("idempotency-key", "new")).await.status(), 201);
}

#[tokio::test]
async fn a_password_is_changed_with_the_current_one_and_guessing_at_it_is_slowed_down() {
    let world = World::new().await;
    let change = |current: &str, new: &str| {
        let call = Call::to("PUT /v1/password").with("current_password", json!(current));
        call.with("new_password", json!(new))
    };
    let weak = world.send(change(PASSWORD, "verkstad verkstad")).await;
    assert_eq!(weak.problem(), (422, "invalid_field".into(), "/new_password".into()));
    for _ in 0..9 {
        assert_eq!(world.send(change("not the password", MORNING)).await.status(), 401);
    }
    assert_eq!(
        code(&world.send(change("not the password", MORNING)).await),
        (429, "too_many_attempts".into())
    );
    // Of an earlier release.
    let of_viewer = change(PASSWORD, MORNING).by(Person::Viewer).source("198.51.100.9");
    assert_eq!(world.send(of_viewer).await.status(), 204);
    assert_eq!(
        world.send(log_in("v@example.com", MORNING).source("198.51.100.8")).await.status(),
        201
    );
}

#[tokio::test]
async fn sessions_are_listed_with_their_devices_and_ended_one_by_one_or_all() {
    let world = World::new().await;
    for n in 0..3 {
        let call = log_in("a@example.com", PASSWORD).header("user-agent", &format!("Phone {n}"));
        assert_eq!(
            world.send(call.header("idempotency-key", &format!("s{n}"))).await.status(),
            201
        );
    }
    let list =
        async || world.ask("GET /v1/sessions").await.body()["sessions"].as_array().unwrap().clone();
    let sessions = list().await;
    assert_eq!(sessions.len(), 4);
    let own: Vec<&Value> = sessions.iter().filter(|it| it["current"] == true).collect();
    assert_eq!((own.len(), &own[0]["device"]), (1, &json!("a test")));
    let phone = sessions.iter().find(|it| it["device"] == "Phone 1").unwrap();
    let one =
        Call::to("DELETE /v1/sessions").query(&format!("id={}", phone["id"].as_str().unwrap()));
    assert_eq!(world.send(one.clone()).await.status(), 204);
    assert_eq!(list().await.len(), 3);
    // Somebody else's is not ended by its id.
    let foreign = Person::Member.token().hash().to_string();
    let foreign = Call::to("DELETE /v1/sessions").query(&format!("id={foreign}"));
    assert_eq!(world.send(foreign).await.status(), 204);
    assert_eq!(world.send(Call::to("GET /v1/session").by(Person::Member)).await.status(), 200);
    assert_eq!(world.ask("DELETE /v1/sessions").await.status(), 204);
    assert_eq!(list().await.len(), 1);
    let bad = world.send(Call::to("DELETE /v1/sessions").query("id=7")).await;
    assert_eq!(bad.problem(), (422, "invalid_field".into(), "?id".into()));
}

#[tokio::test]
async fn who_has_forgotten_a_password_sets_one_by_a_link_once() {
    let world = World::new().await;
    let reset = |token: &Value, new: &str| {
        let call = Call::to("POST /v1/password-resets").with("token", token.clone());
        call.with("new_password", json!(new))
    };
    // A colleague without an address, by an admin.
    let made =
        world.send(Call::to("POST /v1/people/{user_id}/password-resets").by(Person::Admin)).await;
    assert_eq!(made.status(), 201);
    let token = made.body()["token"].clone();
    let old = world.send(log_in("per@verkstad", PASSWORD)).await.body()["token"].clone();
    let tries = (0..20).map(|n| world.send(reset(&token, &format!("a lathe number {n} at noon"))));
    let answers = join_all(tries).await;
    let won: Vec<usize> = (0..20).filter(|n| answers[*n].status() == 204).collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    assert_eq!(code(&world.send(reset(&token, MORNING)).await), (409, "reset_ended".into()));
    assert_eq!(world.send(with(Call::to("GET /v1/session"), &old)).await.status(), 401);
    let new = format!("a lathe number {} at noon", won[0]);
    assert_eq!(
        world.send(log_in("per@verkstad", &new).header("idempotency-key", "new")).await.status(),
        201
    );
    // By the operator, of whoever; of an earlier release too.
    let order = json!({ "sign_in_name": "v@example.com" });
    let made = world.cloud.invoke("make-reset-token", order).await.unwrap();
    let late = reset(&made["token"], MORNING)
        .later(runtime::now().after(std::time::Duration::from_secs(25 * 3600)));
    assert_eq!(code(&world.send(late).await), (409, "reset_ended".into()));
    assert_eq!(world.send(reset(&made["token"], MORNING)).await.status(), 204);
    assert_eq!(world.send(log_in("v@example.com", MORNING)).await.status(), 201);
    let nobody =
        world.cloud.invoke("make-reset-token", json!({ "sign_in_name": "no@one.example" })).await;
    assert!(nobody.is_err());
    // Not of who logs in with an address, of another company, or stands higher.
    for (user, by) in [(Person::Viewer.user(), Person::A), (Person::A.user(), Person::Admin)] {
        let call = Call::to("POST /v1/people/{user_id}/password-resets")
            .path("user_id", &user.to_string());
        assert_eq!(code(&world.send(call.by(by)).await), (409, "not_ours_to_reset".into()));
    }
    let invited = world.send(invite("viewer").by(Person::B)).await.body();
    let join = Call::to("POST /v1/memberships").with("token", invited["token"].clone());
    let join = join.with("sign_in_name", json!("per@verkstad")).with("password", json!(new));
    assert_eq!(world.send(join).await.status(), 201);
    let now_elsewhere = world.ask("POST /v1/people/{user_id}/password-resets").await;
    assert_eq!(code(&now_elsewhere), (409, "not_ours_to_reset".into()));
}

/// A token that lets per@verkstad set a password, made by an admin.
async fn let_reset(world: &World) -> Value {
    let made =
        world.send(Call::to("POST /v1/people/{user_id}/password-resets").by(Person::Admin)).await;
    assert_eq!(made.status(), 201);
    made.body()["token"].clone()
}

#[tokio::test]
async fn what_lets_a_colleague_set_a_password_ends_with_the_right_to_let_them() {
    let reset = |token: &Value| {
        let call = Call::to("POST /v1/password-resets").with("token", token.clone());
        call.with("new_password", json!(MORNING))
    };
    let of_person = |call: &str, user: String, version: u64| {
        Call::to(call).path("user_id", &user).header("if-match", &format!("\"{version}\""))
    };
    let (per, admin) =
        (testing::world::floor_worker().to_string(), Person::Admin.user().to_string());
    for what in
        ["nothing", "joined another company", "was promoted", "removed", "changed", "another token"]
    {
        let world = World::new().await;
        let token = let_reset(&world).await;
        match what {
            "joined another company" => {
                let invited = world.send(invite("viewer").by(Person::B)).await.body();
                let join = Call::to("POST /v1/memberships").with("token", invited["token"].clone());
                let join = join.with("sign_in_name", json!("per@verkstad"));
                assert_eq!(world.send(join).await.status(), 201);
            }
            "was promoted" => {
                let call = of_person("PUT /v1/people/{user_id}", per.clone(), 1);
                assert_eq!(world.send(call.with("role", json!("owner"))).await.status(), 200);
            }
            "removed" => {
                let call = of_person("DELETE /v1/people/{user_id}", admin.clone(), 1);
                assert_eq!(world.send(call).await.status(), 204);
            }
            "changed" => {
                let session = world.send(log_in("per@verkstad", PASSWORD)).await.body();
                let call = Call::to("PUT /v1/password")
                    .with("new_password", json!("a press in the evening"));
                assert_eq!(world.send(with(call, &session["token"])).await.status(), 204);
            }
            "another token" => {
                let other = let_reset(&world).await;
                assert_eq!(world.send(reset(&other)).await.status(), 204);
            }
            _ => {}
        }
        let used = world.send(reset(&token)).await;
        let expected = if what == "nothing" { 204 } else { 409 };
        assert_eq!(used.status(), expected, "{what}: {used:?}");
    }
    let world = World::new().await;
    let session = world.send(log_in("per@verkstad", PASSWORD)).await.body();
    let call = of_person("PUT /v1/people/{user_id}", per.clone(), 1).with("role", json!("admin"));
    assert_eq!(world.send(call).await.status(), 200);
    let own = Call::to("POST /v1/people/{user_id}/password-resets");
    assert_eq!(
        code(&world.send(with(own, &session["token"])).await),
        (409, "not_ours_to_reset".into())
    );
}

#[tokio::test]
async fn a_session_hands_on_no_more_than_it_is() {
    let world = World::new().await;
    let switch = || Call::to("PUT /v1/session");
    let own = world.ask("GET /v1/session").await.body();
    let days = world.now.after(std::time::Duration::from_secs(6 * 24 * 60 * 60));
    let handed = world.send(switch().later(days)).await;
    assert_eq!(
        (handed.status(), &handed.body()["expires_at"]),
        (201, &own["expires_at"]),
        "as old"
    );
    // A cookie stays one that no script can read.
    let cookie = format!("__Host-session={}", Person::A.token().expose());
    let by_cookie = switch().without_header("authorization").cookie(&cookie);
    let by_cookie = world.send(by_cookie.header("sec-fetch-site", "same-origin")).await;
    assert_eq!(by_cookie.status(), 201, "{by_cookie:?}");
    assert!(by_cookie.body()["token"].is_null());
    let change = Call::to("PUT /v1/password");
    assert_eq!(world.send(change).await.status(), 204);
    assert_eq!(code(&world.send(switch()).await), (403, "log_in_anew".into()));
    let gone = with(Call::to("GET /v1/session"), &handed.body()["token"]);
    assert_eq!(world.send(gone).await.status(), 401);
}

#[tokio::test]
async fn an_invitation_ends_with_the_right_to_make_it() {
    let world = World::new().await;
    let invited = world.send(invite("viewer").by(Person::Admin)).await.body();
    let admin = Person::Admin.user().to_string();
    let demote = Call::to("PUT /v1/people/{user_id}").path("user_id", &admin);
    assert_eq!(world.send(demote.with("role", json!("member"))).await.status(), 200);
    let accept = Call::to("POST /v1/acceptances").with("token", invited["token"].clone());
    assert_eq!(code(&world.send(accept).await), (409, "invitation_ended".into()));
    let preview = Call::to("POST /v1/invitation-previews").with("token", invited["token"].clone());
    assert_eq!(code(&world.send(preview).await), (409, "invitation_ended".into()));
}
