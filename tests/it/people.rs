//! People: they are invited, come in, change roles, go, and belong to several companies.

use futures_util::future::join_all;
use serde_json::{Value, json};

use testing::world::{Answer, Call, PASSWORD, Person, UNKNOWN_ID, World};

pub const MORNING: &str = "a lathe in the morning";

pub fn invite(role: &str) -> Call {
    let call = Call::to("POST /v1/invitations").with("role", json!(role));
    call.header("idempotency-key", &format!("invite-{role}"))
}

fn accept(token: &Value, name: &str) -> Call {
    let call = Call::to("POST /v1/acceptances").with("token", token.clone());
    let call = call.with("sign_in_name", json!(name)).with("password", json!(MORNING));
    call.header("idempotency-key", &format!("accept-{}", name.replace('@', "-")))
}

pub fn log_in(name: &str, password: &str) -> Call {
    let body = json!({ "sign_in_name": name, "password": password });
    let key = format!("log-in-{}-{}", name.replace('@', "-"), password.len());
    Call::to("POST /v1/sessions").body(body).header("idempotency-key", &key)
}

pub fn with(call: Call, token: &Value) -> Call {
    call.header("authorization", &format!("Bearer {}", token.as_str().unwrap()))
}

/// Somebody who has come into customer A by an invitation and has logged in: the user's id and the token.
async fn newcomer(world: &World, role: &str, name: &str) -> (String, Value) {
    let call = Call::to("POST /v1/invitations").with("role", json!(role));
    let invited = world.send(call.header("idempotency-key", &name.replace('@', "-"))).await;
    assert_eq!(invited.status(), 201, "{invited:?}");
    let came = world.send(accept(&invited.body()["token"], name)).await;
    assert_eq!(came.status(), 201, "{came:?}");
    let session = world.send(log_in(name, MORNING)).await;
    assert_eq!(session.status(), 201, "{session:?}");
    (came.body()["user"]["id"].as_str().unwrap().to_owned(), session.body()["token"].clone())
}

fn of_person(call: &str, user: &str, version: u64) -> Call {
    Call::to(call).path("user_id", user).header("if-match", &format!("\"{version}\""))
}

async fn people(world: &World) -> Vec<Value> {
    let list = world.ask("GET /v1/people").await.body();
    list["people"].as_array().unwrap().clone()
}

async fn person(world: &World, user: &str) -> Value {
    people(world).await.into_iter().find(|it| it["id"] == user).unwrap()
}

pub fn code(answer: &Answer) -> (u64, String) {
    (answer.status(), answer.code().to_owned())
}

#[tokio::test]
async fn an_invitation_by_mail_lets_its_address_in_and_is_in_no_answer() {
    let world = World::new().await;
    let email = "ida@example.com";
    let invite = || Call::to("POST /v1/invitations").with("email", json!(email));
    let invite = || invite().with("language", json!("de")).header("idempotency-key", "by-mail");
    let invited = world.send(invite()).await;
    assert_eq!(invited.status(), 201, "{invited:?}");
    let body = invited.body();
    assert_eq!((&body["token"], &body["email"]), (&json!(null), &json!(email)));
    assert_eq!(world.send(invite()).await.body(), body, "and once");
    let letters = testing::letters::letters(world.folder());
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!((letter.to.as_str(), letter.subject.as_str()), (email, "Einladung zu Verkstad AB"));
    assert!(letter.text.starts_with("Eva Ek lädt Sie zu Verkstad AB"), "{}", letter.text);
    let listed = world.ask("GET /v1/invitations").await.body();
    let of = |id: &Value| {
        let all = listed["invitations"].as_array().unwrap().iter();
        all.clone().find(|it| it["id"] == *id).unwrap()["email"].clone()
    };
    assert_eq!(of(&body["id"]), email);
    let preview = Call::to("POST /v1/invitation-previews").with("token", json!(letter.token()));
    assert_eq!(world.send(preview).await.body()["email"], email);

    let token = json!(letter.token());
    let other = world.send(accept(&token, "b@example.com")).await;
    assert_eq!(other.problem(), (422, "invalid_field".into(), "/sign_in_name".into()));
    assert_eq!(world.send(accept(&token, email)).await.status(), 201);
    assert_eq!(world.send(log_in(email, MORNING)).await.status(), 201);
    // Printed, an invitation is of no address.
    let printed = world.send(Call::to("POST /v1/invitations").header("idempotency-key", "p")).await;
    let printed = printed.body()["token"].clone();
    let claimed = world.send(accept(&printed, "c@example.com")).await;
    assert_eq!(claimed.problem(), (422, "invalid_field".into(), "/sign_in_name".into()));
}

#[tokio::test]
async fn somebody_without_an_address_is_invited_comes_in_and_works() {
    let world = World::with_record().await;
    let invited = world.send(invite("member")).await.body();
    let token = &invited["token"];
    assert!(token.as_str().unwrap().starts_with("am1i_"), "{invited}");
    let preview = Call::to("POST /v1/invitation-previews").with("token", token.clone());
    let preview = world.send(preview).await.body();
    assert_eq!(
        (&preview["company"], &preview["short_name"]),
        (&json!("Verkstad AB"), &json!("verkstad"))
    );
    let came = world.send(accept(token, "Ida@Verkstad")).await.body();
    assert_eq!(came["user"]["sign_in_name"], "ida@verkstad");
    let session = world.send(log_in("ida@verkstad", MORNING)).await.body();
    let record = with(Call::to("GET /v1/records/{record_id}"), &session["token"]);
    assert_eq!(world.send(record).await.status(), 200);
    let me = world.send(with(Call::to("GET /v1/session"), &session["token"])).await.body();
    assert_eq!((&me["user"]["role"], &me["user"]["name"]), (&json!("member"), &json!("Ida Ek")));
    let listed = world.ask("GET /v1/invitations").await.body();
    let used =
        listed["invitations"].as_array().unwrap().iter().find(|it| it["id"] == invited["id"]);
    assert_eq!(used.unwrap()["state"], "accepted");
    assert_eq!(used.unwrap()["changed_by"], came["user"]["id"]);
}

#[tokio::test]
async fn of_fifty_who_accept_one_invitation_at_once_one_comes_in() {
    let world = World::new().await;
    let token = world.send(invite("member")).await.body()["token"].clone();
    let tries = (0..50).map(|n| {
        // From sources of their own, or their tries would be too many.
        world.send(accept(&token, &format!("ida{n}@verkstad")).source(&format!("198.51.100.{n}")))
    });
    let answers = join_all(tries).await;
    let came = answers.iter().filter(|it| it.status() == 201).count();
    let late = answers.iter().filter(|it| it.status() == 409 && it.code() == "invitation_ended");
    assert_eq!((came, late.count()), (1, 49), "{answers:?}");
    assert_eq!(people(&world).await.iter().filter(|it| it["name"] == "Ida Ek").count(), 1);
}

#[tokio::test]
async fn a_repeated_acceptance_is_answered_alike_to_who_knows_the_password() {
    let world = World::new().await;
    let token = world.send(invite("viewer")).await.body()["token"].clone();
    let first = world.send(accept(&token, "ida@verkstad")).await;
    let again = world.send(accept(&token, "ida@verkstad")).await;
    assert_eq!((first.status(), first.body()), (again.status(), again.body()));
    let other = accept(&token, "ida@verkstad").with("password", json!("a lathe in the evening"));
    assert_eq!(code(&world.send(other).await), (422, "idempotency_key_reused".into()));
    let late = accept(&token, "ida@verkstad").header("idempotency-key", "another");
    assert_eq!(code(&world.send(late).await), (409, "invitation_ended".into()));
}

#[tokio::test]
async fn an_invitation_that_is_none_ended_or_not_for_this_name_lets_nobody_in() {
    let world = World::new().await;
    let token = world.send(invite("member")).await.body()["token"].clone();
    let text = token.as_str().unwrap();
    let forged = json!(format!("{}AAAA", &text[..text.len() - 4]));
    assert_eq!(world.send(accept(&forged, "ida@verkstad")).await.status(), 404);
    let preview = Call::to("POST /v1/invitation-previews").with("token", forged);
    assert_eq!(code(&world.send(preview).await), (404, "not_found".into()));
    for name in ["ida@norr", "ida@example.com"] {
        let refused = world.send(accept(&token, name)).await;
        assert_eq!(
            refused.problem(),
            (422, "invalid_field".into(), "/sign_in_name".into()),
            "{name}"
        );
    }
    let weak = accept(&token, "ida@verkstad").with("password", json!("verkstad verkstad"));
    assert_eq!(world.send(weak).await.problem().2, "/password");
    let taken = newcomer(&world, "viewer", "ida@verkstad").await;
    assert_eq!(
        code(&world.send(accept(&token, "ida@verkstad").header("idempotency-key", "b")).await),
        (409, "name_taken".into())
    );
    let late = world.now.after(std::time::Duration::from_secs(8 * 24 * 60 * 60));
    assert_eq!(
        code(&world.send(accept(&token, "bo@verkstad").later(late)).await),
        (409, "invitation_ended".into())
    );
    let invitations = world.ask("GET /v1/invitations").await.body();
    let id = invitations["invitations"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["state"] == "open" && it["id"] != "01KEZ00000NVTATNAAAAAAAAAA");
    let id = id.unwrap()["id"].as_str().unwrap().to_owned();
    let withdraw = || Call::to("DELETE /v1/invitations/{invitation_id}").path("invitation_id", &id);
    for _ in 0..2 {
        assert_eq!(world.send(withdraw()).await.status(), 204);
    }
    assert_eq!(
        code(&world.send(accept(&token, "bo@verkstad")).await),
        (409, "invitation_ended".into())
    );
    assert!(!taken.0.is_empty());
    let accepted =
        invitations["invitations"].as_array().unwrap().iter().find(|it| it["state"] == "accepted");
    let accepted = accepted.unwrap()["id"].as_str().unwrap();
    let withdraw =
        Call::to("DELETE /v1/invitations/{invitation_id}").path("invitation_id", accepted);
    assert_eq!(code(&world.send(withdraw).await), (409, "invitation_ended".into()));
}

#[tokio::test]
async fn who_is_removed_is_out_at_once_and_stays_readable() {
    let world = World::with_record().await;
    let (user, token) = newcomer(&world, "member", "ida@verkstad").await;
    let change = Call::to("PUT /v1/records/{record_id}").header("if-match", "\"1\"");
    assert_eq!(world.send(with(change, &token)).await.status(), 200);
    let removed = world.send(of_person("DELETE /v1/people/{user_id}", &user, 1)).await;
    assert_eq!(removed.status(), 204);
    assert_eq!(world.send(with(Call::to("GET /v1/session"), &token)).await.status(), 401);
    assert_eq!(
        code(&world.send(log_in("ida@verkstad", MORNING).header("idempotency-key", "again")).await),
        (403, "no_company".into())
    );
    let gone = person(&world, &user).await;
    assert_eq!((&gone["removed"], &gone["name"]), (&json!(true), &json!("Ida Ek")));
    let history = world.ask("GET /v1/records/{record_id}/revisions").await.body();
    assert_eq!(history["revisions"][0]["changed_by"], user);
    // She may come back, as somebody who has a login.
    let invitation = world.send(invite("viewer")).await.body()["token"].clone();
    let join = Call::to("POST /v1/memberships").with("token", invitation);
    let join = join.with("sign_in_name", json!("ida@verkstad")).with("password", json!(MORNING));
    assert_eq!(world.send(join).await.status(), 201);
    let back = world.send(log_in("ida@verkstad", MORNING).header("idempotency-key", "back")).await;
    assert_eq!(back.status(), 201, "{back:?}");
    let evening = world.cloud.run_evening(|_| {}).await.unwrap();
    assert!(evening.verdicts.iter().all(|(_, verdict)| verdict == "SUCCESSFUL"), "{evening:?}");
}

#[tokio::test]
async fn a_company_keeps_an_owner_whoever_goes_at_the_same_time() {
    let world = World::new().await;
    let owner = Person::A.user().to_string();
    let demote = |user: &str, version| {
        of_person("PUT /v1/people/{user_id}", user, version).with("role", json!("member"))
    };
    assert_eq!(code(&world.send(demote(&owner, 1)).await), (409, "last_owner".into()));
    let remove = of_person("DELETE /v1/people/{user_id}", &owner, 1);
    assert_eq!(code(&world.send(remove).await), (409, "last_owner".into()));
    let (second, token) = newcomer(&world, "owner", "ida@verkstad").await;
    // Each demotes the other one, at the same time.
    let (one, other) =
        tokio::join!(world.send(demote(&second, 1)), world.send(with(demote(&owner, 1), &token)));
    let mut answers = [one.status(), other.status()];
    answers.sort_unstable();
    assert_eq!(answers[0], 200, "{one:?} {other:?}");
    assert_ne!(answers[1], 200, "{one:?} {other:?}");
    let owners = people(&world).await;
    assert_eq!(owners.iter().filter(|it| it["role"] == "owner").count(), 1);
}

#[tokio::test]
async fn only_owners_make_owners() {
    let world = World::new().await;
    let refused = world.send(invite("owner").by(Person::Admin)).await;
    assert_eq!(code(&refused), (403, "owners_only".into()));
    let leaver = Person::Leaver.user().to_string();
    let promote = of_person("PUT /v1/people/{user_id}", &leaver, 1).with("role", json!("owner"));
    assert_eq!(
        code(&world.send(promote.clone().by(Person::Admin)).await),
        (403, "owners_only".into())
    );
    let owner = Person::A.user().to_string();
    let remove = of_person("DELETE /v1/people/{user_id}", &owner, 1).by(Person::Admin);
    assert_eq!(code(&world.send(remove).await), (403, "owners_only".into()));
    assert_eq!(world.send(promote).await.status(), 200);
    // Repeated with its key, a change is answered alike.
    let again = of_person("PUT /v1/people/{user_id}", &leaver, 2).with("role", json!("admin"));
    let again = again.header("idempotency-key", "demote");
    let (first, second) = (world.send(again.clone()).await, world.send(again).await);
    assert_eq!((first.status(), first.body()), (second.status(), second.body()));
    let unknown = of_person("PUT /v1/people/{user_id}", UNKNOWN_ID, 1);
    assert_eq!(world.send(unknown).await.status(), 404);
}

#[tokio::test]
async fn a_person_of_two_companies_never_sees_one_from_the_other() {
    // One whose login is of an earlier release, one of this one.
    for person in [Person::Member, Person::B] {
        let world = World::with_record().await;
        let (host, guest) = if person == Person::B { (Person::A, "B") } else { (Person::B, "M") };
        let invited = world.send(invite("viewer").by(host)).await.body();
        let name = person.email();
        let join = |password: &str| {
            let call = Call::to("POST /v1/memberships").with("token", invited["token"].clone());
            let call = call.with("sign_in_name", json!(name.as_str()));
            call.with("password", json!(password))
                .header("idempotency-key", password.get(..3).unwrap())
        };
        assert_eq!(code(&world.send(join("not the password")).await), (401, "wrong_login".into()));
        let joined = world.send(join(PASSWORD)).await;
        assert_eq!(joined.status(), 201, "{guest}: {joined:?}");
        let again = world.send(join(PASSWORD).header("idempotency-key", "again")).await;
        assert_eq!(code(&again), (409, "invitation_ended".into()));
        let second = world.send(invite("member").by(host)).await.body();
        let again = join(PASSWORD).with("token", second["token"].clone());
        let again = world.send(again.header("idempotency-key", "second")).await;
        assert_eq!(code(&again), (409, "already_member".into()));

        let choose = world.send(log_in(name.as_str(), PASSWORD)).await;
        assert_eq!(code(&choose), (409, "choose_company".into()));
        assert_eq!(choose.body()["companies"].as_array().unwrap().len(), 2);
        let at = |customer: String| {
            let call = log_in(name.as_str(), PASSWORD).with("customer_id", json!(customer));
            call.header("idempotency-key", &customer)
        };
        for (home, status) in [(Person::A, 200), (Person::B, 404)] {
            let session = world.send(at(home.customer().to_string())).await;
            assert_eq!(session.status(), 201, "{session:?}");
            let token = session.body()["token"].clone();
            let record = world.send(with(Call::to("GET /v1/records/{record_id}"), &token)).await;
            assert_eq!(record.status(), status, "the record is A's");
        }
        assert_eq!(code(&world.send(at(UNKNOWN_ID.to_owned())).await), (403, "no_company".into()));
        let evening = world.cloud.run_evening(|_| {}).await.unwrap();
        assert!(evening.verdicts.iter().all(|(_, it)| it == "SUCCESSFUL"), "{evening:?}");
        assert!(evening.chain_holds && evening.verdicts.len() == 7, "{evening:?}");
    }
}

#[tokio::test]
async fn what_others_log_in_with_is_for_admins() {
    let world = World::new().await;
    let names = async |by: Person| {
        let list = world.send(Call::to("GET /v1/people").by(by)).await.body();
        let people = list["people"].as_array().unwrap().clone();
        people.iter().filter(|it| !it["sign_in_name"].is_null()).count()
    };
    assert_eq!((names(Person::Admin).await, names(Person::A).await), (6, 6));
    assert_eq!((names(Person::Viewer).await, names(Person::Member).await), (1, 1), "their own");
}

#[tokio::test]
async fn a_company_has_no_more_open_invitations_than_it_can_look_through() {
    let world = World::new().await;
    let another =
        |n: usize| world.send(invite("viewer").header("idempotency-key", &format!("i{n}")));
    // One is open already.
    for n in 0..499 {
        assert_eq!(another(n).await.status(), 201, "{n}");
    }
    assert_eq!(code(&another(499).await), (409, "too_many_invitations".into()));
    assert_eq!(another(0).await.status(), 201, "a repetition");
    assert_eq!(world.ask("DELETE /v1/invitations/{invitation_id}").await.status(), 204);
    assert_eq!(another(500).await.status(), 201);
}
