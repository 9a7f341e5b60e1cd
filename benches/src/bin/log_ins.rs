//! `cargo run --release -p benches --bin log_ins`: whether the time of an answer tells an address that has an
//! account from one that has none: of a wrong log-in, of a letter to sign up or to set a password, of an invitation. Each
//! is tried in turns, from a source of its own; prints how often the one took longer than the other: 0.5 says nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use benches::Failed;
use clap::Parser;
use local::{Cloud, Options};
use serde_json::{Value, json};

/// Times what strangers may ask, and what an admin may ask of strangers.
#[derive(Parser)]
struct Arguments {
    /// So many tries of each, with so many accounts
    #[arg(long, default_value_t = 1000)]
    tries: usize,
}

/// What is asked of an address.
struct Question {
    what: &'static str,
    function: &'static str,
    route: &'static str,
    body: fn(&str) -> Value,
    status: u64,
}

const QUESTIONS: [Question; 4] = [
    Question {
        what: "wrong log-ins",
        function: "create-session",
        route: "POST /v1/sessions",
        body: |email| json!({ "email": email, "password": "two lathes and a saw" }),
        status: 401,
    },
    Question {
        what: "letters to sign up",
        function: "ask-to-sign-up",
        route: "POST /v1/sign-ups",
        body: |email| json!({ "email": email }),
        status: 202,
    },
    Question {
        what: "letters to set a password",
        function: "ask-for-reset",
        route: "POST /v1/password-reset-requests",
        body: |email| json!({ "email": email }),
        status: 202,
    },
    Question {
        what: "invitations by mail",
        function: "create-invitation",
        route: "POST /v1/invitations",
        body: |email| json!({ "role": "viewer", "email": email, "days": 1 }),
        status: 201,
    },
];

/// A company may have no more open at once.
const INVITATIONS_MAX: usize = 400;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let cloud = Cloud::start(&Options::new(Path::new("."), folder.path())).await?;
    let mut session = String::new();
    for n in 0..arguments.tries {
        let made = cloud.invoke("make-sign-up-token", json!({ "email": known(n) })).await?;
        let body = json!({
            "token": made["token"], "company": format!("Verkstad {n}"), "name": "Eva Ek",
            "password": PASSWORD,
        });
        let answer = ask(&cloud, "create-customer", "POST /v1/customers", n, "", &body).await?;
        assert_eq!(answer["statusCode"], 201, "{answer}");
        if n == 0 {
            let body = json!({ "email": known(n), "password": PASSWORD });
            let answer = ask(&cloud, "create-session", "POST /v1/sessions", n, "", &body).await?;
            let answer: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default())?;
            session = answer["token"].as_str().unwrap_or_default().to_owned();
        }
    }
    let mut tells = false;
    for (at, question) in QUESTIONS.iter().enumerate() {
        let tries = match question.function {
            "create-invitation" => arguments.tries.min(INVITATIONS_MAX / 2),
            _ => arguments.tries,
        };
        let (mut of_known, mut of_unknown) = (Vec::new(), Vec::new());
        for n in 0..tries {
            // Which comes first changes, or what the first one warms would count for the second.
            for is_known in [n % 2 == 0, n % 2 == 1] {
                let email = if is_known { known(n) } else { format!("nobody{n}@{at}.example") };
                let number = (at + 1) * 1_000_000 + 2 * n + usize::from(is_known);
                let body = (question.body)(&email);
                let started = Instant::now();
                let answer =
                    ask(&cloud, question.function, question.route, number, &session, &body).await?;
                let took = started.elapsed();
                assert_eq!(answer["statusCode"], question.status, "{answer}");
                if is_known { of_known.push(took) } else { of_unknown.push(took) }
            }
        }
        let auc = auc(&of_known, &of_unknown);
        let median = |times: &mut Vec<Duration>| {
            times.sort();
            times[times.len() / 2].as_secs_f64() * 1000.0
        };
        println!(
            "{tries} {} each: AUC {auc:.3}; medians {:.2} ms of known addresses, {:.2} ms of others",
            question.what,
            median(&mut of_known),
            median(&mut of_unknown),
        );
        tells |= !(0.47..=0.53).contains(&auc);
    }
    if tells { Err("the time of an answer tells".into()) } else { Ok(()) }
}

const PASSWORD: &str = "two lathes and a mill";

fn known(n: usize) -> String {
    format!("eva{n}@verkstad-norr.example")
}

/// How often one of the first took longer than one of the second; of equal ones, a half.
fn auc(first: &[Duration], second: &[Duration]) -> f64 {
    let longer: f64 = first
        .iter()
        .flat_map(|one| second.iter().map(move |other| one.cmp(other)))
        .map(|order| match order {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        })
        .sum();
    longer / (first.len() * second.len()) as f64
}

/// Asks a function, from a source of the request's own.
async fn ask(
    cloud: &Cloud,
    function: &str,
    route: &str,
    n: usize,
    session: &str,
    body: &Value,
) -> Result<Value, Failed> {
    let (method, path) = route.split_once(' ').ok_or("a route has two words")?;
    let event = json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "authorization": format!("Bearer {session}"),
            "content-type": "application/json",
            "host": "localhost",
            "idempotency-key": format!("k{n}"),
        },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "local",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": format!("10.{}.{}.{}", n / 65_536, n / 256 % 256, n % 256),
                "userAgent": "bench",
            },
            "requestId": "r",
            "routeKey": route,
            "stage": "$default",
            "time": "",
            "timeEpoch": runtime::now().millis(),
        },
        "body": body.to_string(),
        "isBase64Encoded": false,
    });
    Ok(cloud.invoke(function, event).await?)
}
