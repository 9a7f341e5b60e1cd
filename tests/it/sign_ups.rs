//! Letters with links: to sign a company up, and to set a password. Whoever asks learns nothing of an address.

use serde_json::json;
use testing::letters::{Letter, letters, newest_letter};
use testing::world::{Answer, Call, PASSWORD, Person, World};

const NEW: &str = "eva@verkstad-norr.example";
const NEW_PASSWORD: &str = "three mills and a saw";

/// Asks for a letter.
async fn ask(world: &World, route: &str, email: &str, source: &str) -> Answer {
    world.send(Call::to(route).with("email", json!(email)).source(source)).await
}

async fn asked(world: &World, route: &str, email: &str) -> Letter {
    let answer = ask(world, route, email, "192.0.2.7").await;
    assert_eq!(answer.status(), 202, "{answer:?}");
    newest_letter(world.folder(), email)
}

async fn log_in(world: &World, email: &str, password: &str) -> u64 {
    let call = Call::to("POST /v1/sessions").with("email", json!(email));
    let call = call
        .with("password", json!(password))
        .header("idempotency-key", &password.replace(" ", "-"));
    world.send(call).await.status()
}

const SIGN_UP: &str = "POST /v1/sign-ups";
const RESET: &str = "POST /v1/password-reset-requests";

#[tokio::test]
async fn a_company_is_signed_up_by_the_link_in_a_letter() {
    let world = World::new().await;
    let letter = asked(&world, SIGN_UP, NEW).await;
    assert_eq!(letter.subject, "Skapa ditt konto");
    let here = format!("http://localhost:{}/sign-up#", world.cloud.address().port());
    assert!(letter.link().starts_with(&here), "{}", letter.link());
    assert!(letter.html.contains(letter.link()), "{}", letter.html);
    // Looking at a link uses nothing up, and neither does asking again.
    asked(&world, SIGN_UP, NEW).await;
    let sign_up = || Call::to("POST /v1/customers").with("token", json!(letter.token()));
    let signed_up = world.send(sign_up()).await;
    assert_eq!(signed_up.status(), 201, "{signed_up:?}");
    assert_eq!(signed_up.body()["user"]["sign_in_name"], NEW);
    assert_eq!(log_in(&world, NEW, PASSWORD).await, 201);
    let again = world.send(sign_up().header("idempotency-key", "another")).await;
    assert_eq!((again.status(), again.code()), (409, "email_taken".to_owned()));
}

#[tokio::test]
async fn a_link_to_sign_up_ends_after_a_day_and_no_other_is_one() {
    let world = World::new().await;
    let letter = asked(&world, SIGN_UP, NEW).await;
    let sign_up = |token: &str| Call::to("POST /v1/customers").with("token", json!(token));
    let mut forged = letter.token().to_owned();
    let end = if forged.ends_with('A') { "E" } else { "A" };
    forged.replace_range(forged.len() - 1.., end);
    let forged = world.send(sign_up(&forged)).await;
    assert_eq!((forged.status(), forged.code()), (409, "sign_up_ended".to_owned()));
    let mut world = world;
    world.now = world.now.after(std::time::Duration::from_secs(24 * 60 * 60 + 1));
    let late = world.send(sign_up(letter.token())).await;
    assert_eq!((late.status(), late.code()), (409, "sign_up_ended".to_owned()));
    for token in ["", "am1s_", "am1r_AAAA"] {
        let answer = world.send(sign_up(token)).await;
        assert_eq!(answer.problem(), (422, "invalid_field".into(), "/token".into()), "{token}");
    }
}

#[tokio::test]
async fn a_password_is_set_by_the_link_in_a_letter() {
    let world = World::new().await;
    let email = Person::A.email();
    let letter = asked(&world, RESET, email.as_str()).await;
    assert!(letter.link().contains("/password#am1r_"), "{}", letter.link());
    let reset = || {
        Call::to("POST /v1/password-resets")
            .with("token", json!(letter.token()))
            .with("new_password", json!(NEW_PASSWORD))
    };
    assert_eq!(world.send(reset()).await.status(), 204);
    assert_eq!(log_in(&world, email.as_str(), NEW_PASSWORD).await, 201);
    assert_eq!(log_in(&world, email.as_str(), PASSWORD).await, 401);
    assert_eq!(world.send(reset()).await.code(), "reset_ended");
}

#[tokio::test]
async fn a_letter_tells_whose_address_it_is_and_the_answer_does_not() {
    let world = World::new().await;
    let known = Person::A.email();
    for route in [SIGN_UP, RESET] {
        let to_known = ask(&world, route, known.as_str(), "192.0.2.7").await;
        let to_unknown = ask(&world, route, NEW, "192.0.2.7").await;
        assert_eq!(to_known.status(), 202);
        assert_eq!(to_known.0, to_unknown.0, "{route}");
    }
    let sent: Vec<(String, String)> =
        letters(world.folder()).into_iter().map(|it| (it.to, it.subject)).collect();
    let to = |to: &str| sent.iter().filter(|it| it.0 == to).map(|it| &it.1).collect::<Vec<_>>();
    assert_eq!(to(known.as_str()), ["Du har redan ett konto", "Välj ett nytt lösenord"]);
    assert_eq!(to(NEW), ["Skapa ditt konto", "Det finns inget konto"]);
    // Who has no account can make one by the letter that says so.
    let letter = newest_letter(world.folder(), NEW);
    let sign_up = Call::to("POST /v1/customers").with("token", json!(letter.token()));
    assert_eq!(world.send(sign_up).await.status(), 201);
}

#[tokio::test]
async fn nobody_floods_an_address_with_letters() {
    let world = World::new().await;
    for n in 0..20 {
        let answer = ask(&world, SIGN_UP, NEW, &format!("198.51.100.{n}")).await;
        assert_eq!(answer.status(), 202, "no source learns how many others asked");
    }
    assert_eq!(letters(world.folder()).len(), 5);
    for n in 0..10 {
        assert_eq!(
            ask(&world, RESET, "b@verkstad-norr.example", "192.0.2.9").await.status(),
            202,
            "{n}"
        );
    }
    let answer = ask(&world, RESET, "b@verkstad-norr.example", "192.0.2.9").await;
    assert_eq!((answer.status(), answer.code()), (429, "too_many_attempts".to_owned()));
}

#[tokio::test]
async fn a_link_leads_to_us_whatever_the_client_says() {
    let world = World::new().await;
    let forged = Call::to(SIGN_UP).header("host", "evil.example");
    let forged = forged.header("x-forwarded-host", "evil.example");
    assert_eq!(world.send(forged).await.status(), 202);
    let letter = newest_letter(world.folder(), NEW);
    assert!(!letter.text.contains("evil") && !letter.html.contains("evil"), "{letter:?}");
}

#[tokio::test]
async fn who_works_without_an_address_asks_an_admin() {
    let world = World::new().await;
    let answer = ask(&world, RESET, "per@verkstad", "192.0.2.7").await;
    assert_eq!(answer.problem(), (422, "invalid_field".into(), "/email".into()));
}

#[tokio::test]
async fn where_no_mail_is_sent_an_operator_makes_the_link() {
    let world = World::new().await.restarted(&[("MailDomain", "")]).await;
    for route in [SIGN_UP, RESET] {
        for email in [NEW, Person::A.email().as_str()] {
            let answer = ask(&world, route, email, "192.0.2.7").await;
            assert_eq!((answer.status(), answer.code()), (409, "no_mail".to_owned()), "{route}");
        }
    }
    assert!(letters(world.folder()).is_empty());
    let made = world.cloud.invoke("make-sign-up-token", json!({"email": NEW})).await.unwrap();
    let sign_up = Call::to("POST /v1/customers").with("token", made["token"].clone());
    assert_eq!(world.send(sign_up).await.status(), 201);
    let bad = world.cloud.invoke("make-sign-up-token", json!({"email": "eva"})).await.unwrap_err();
    assert!(bad.to_string().contains("must be an e-mail address"), "{bad}");
}
