//! All that the functions of people may do.

use serde_json::json;
use testing::world::{Call, Person, World, event};

/// Invites, lets people in, changes what they are and removes one.
pub async fn come_and_go(world: &World) {
    assert_eq!(world.ask("PUT /v1/customer").await.status(), 200);
    let wrong = Call::to("POST /v1/memberships").with("password", json!("not the password"));
    assert_eq!(world.send(wrong).await.status(), 401);
    // Twice: a repetition reads the answer to the first.
    for _ in 0..2 {
        assert_eq!(world.ask("POST /v1/memberships").await.status(), 201);
    }
    for person in [Person::A, Person::B] {
        let invited = Call::to("POST /v1/invitations").by(person);
        let token = world.send(invited).await.body()["token"].clone();
        let enters =
            if person == Person::A { "POST /v1/acceptances" } else { "POST /v1/memberships" };
        let mut enter = Call::to(enters).with("token", token);
        if person == Person::B {
            // Whose login is of an earlier release.
            enter = enter.with("sign_in_name", json!(Person::Member.email().as_str()));
        }
        for _ in 0..2 {
            let came = world.send(enter.clone().header("idempotency-key", "enter")).await;
            assert_eq!(came.status(), 201, "{enters}: {came:?}");
        }
    }
    let another = Call::to("POST /v1/invitations").header("idempotency-key", "another");
    let withdrawn = world.send(another).await.body()["id"].clone();
    let withdraw = Call::to("DELETE /v1/invitations/{invitation_id}");
    let open = withdraw.path("invitation_id", withdrawn.as_str().unwrap());
    assert_eq!(world.send(open).await.status(), 204);
    for (version, role) in [(1, "owner"), (2, "viewer"), (3, "owner")] {
        let change = Call::to("PUT /v1/people/{user_id}").with("role", json!(role));
        let change = change.header("if-match", &format!("\"{version}\""));
        assert_eq!(world.send(change).await.status(), 200, "{role}");
    }
    let remove = Call::to("DELETE /v1/people/{user_id}").header("if-match", "\"4\"");
    assert_eq!(world.send(remove).await.status(), 204);
    // A password is reset once, and changed.
    let made = world.ask("POST /v1/people/{user_id}/password-resets").await.body();
    let of_colleague = Call::to("POST /v1/password-resets").with("token", made["token"].clone());
    assert_eq!(world.send(of_colleague).await.status(), 204);
    world.cloud.invoke("make-reset-token", event("people/make_reset/ok")).await.unwrap();
    // Letters go to who is known and to who is not, and to who is invited.
    world.cloud.invoke("make-sign-up-token", event("accounts/make_sign_up/ok")).await.unwrap();
    let stranger = || json!("stranger@example.com");
    for email in [json!(Person::A.email().as_str()), stranger()] {
        let ask = Call::to("POST /v1/password-reset-requests").with("email", email);
        assert_eq!(world.send(ask).await.status(), 202);
    }
    let invite = Call::to("POST /v1/invitations").header("idempotency-key", "by-mail");
    assert_eq!(world.send(invite.with("email", stranger())).await.status(), 201);
    for status in [204, 409] {
        assert_eq!(world.ask("POST /v1/password-resets").await.status(), status);
    }
    world.log_in_again(Person::A).await;
    // Of a device that was never used, the person is told.
    for device in ["one", "another"] {
        let log_in = Call::to("POST /v1/sessions").header("user-agent", device);
        let log_in = log_in.header("idempotency-key", device);
        let log_in = log_in.with("password", json!("three presses and a saw"));
        assert_eq!(world.send(log_in).await.status(), 201);
    }
    let elsewhere = Call::to("POST /v1/sessions").header("idempotency-key", "elsewhere");
    let elsewhere = elsewhere.with("password", json!("three presses and a saw"));
    assert_eq!(world.send(elsewhere).await.status(), 201);
    let own =
        Call::to("PUT /v1/password").with("current_password", json!("three presses and a saw"));
    let own = own.with("new_password", json!("two lathes and a mill"));
    for status in [204, 401] {
        assert_eq!(world.send(own.clone()).await.status(), status);
    }
    assert_eq!(world.ask("DELETE /v1/sessions").await.status(), 204);
    // A program is let in, works, and is let in no more.
    let made = world.ask("POST /v1/tokens").await.body();
    let token = format!("Bearer {}", made["token"].as_str().unwrap());
    let works = Call::to("GET /v1/records").header("authorization", &token);
    assert_eq!(world.send(works).await.status(), 200);
    assert_eq!(world.ask("GET /v1/tokens").await.status(), 200);
    let revoke = Call::to("DELETE /v1/tokens/{token_id}");
    let revoke = revoke.path("token_id", made["id"].as_str().unwrap());
    assert_eq!(world.send(revoke).await.status(), 204);
    for lists in ["list-customers", "export-usage"] {
        world.cloud.invoke(lists, json!({})).await.unwrap();
    }
    for order in ["accounts/suspend/ok", "accounts/suspend/resume"] {
        world.cloud.invoke("suspend-customer", event(order)).await.unwrap();
    }
    world.log_in_again(Person::B).await;
}
