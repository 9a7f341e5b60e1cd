//! `cargo run --release -p benches --bin log_ins`: whether the time of an answer tells an address that has an
//! account from one that has none. Each is tried with a wrong password, in turns, from a source of its own; prints
//! how often the one took longer than the other: 0.5 says nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use benches::Failed;
use clap::Parser;
use local::{Cloud, Options};
use serde_json::{Value, json};

/// Times wrong log-ins.
#[derive(Parser)]
struct Arguments {
    /// So many tries of each
    #[arg(long, default_value_t = 1000)]
    tries: usize,

    /// Of so many accounts
    #[arg(long, default_value_t = 100)]
    accounts: usize,
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let cloud = Cloud::start(&Options::new(Path::new("."), folder.path())).await?;
    for n in 0..arguments.accounts {
        let body = json!({
            "company": format!("Verkstad {n}"), "name": "Eva Ek", "email": known(n),
            "password": "two lathes and a mill",
        });
        let answer = ask(&cloud, "create-customer", "POST /v1/customers", n, &body).await?;
        assert_eq!(answer["statusCode"], 201, "{answer}");
    }
    let (mut of_known, mut of_unknown) = (Vec::new(), Vec::new());
    for n in 0..arguments.tries {
        // Which comes first changes, or what the first one warms would count for the second.
        for is_known in [n % 2 == 0, n % 2 == 1] {
            let email = if is_known {
                known(n % arguments.accounts)
            } else {
                format!("nobody{n}@verkstad-norr.example")
            };
            let body = json!({ "email": email, "password": "two lathes and a saw" });
            let started = Instant::now();
            let answer =
                ask(&cloud, "create-session", "POST /v1/sessions", 10_000 + n, &body).await?;
            let took = started.elapsed();
            assert_eq!(answer["statusCode"], 401, "{answer}");
            if is_known { of_known.push(took) } else { of_unknown.push(took) }
        }
    }
    let auc = auc(&of_known, &of_unknown);
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1000.0
    };
    println!(
        "{} wrong log-ins each: AUC {auc:.3}; medians {:.2} ms of known addresses, {:.2} ms of others",
        arguments.tries,
        median(&mut of_known),
        median(&mut of_unknown),
    );
    if (0.47..=0.53).contains(&auc) { Ok(()) } else { Err("the time of an answer tells".into()) }
}

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
    body: &Value,
) -> Result<Value, Failed> {
    let (method, path) = route.split_once(' ').ok_or("a route has two words")?;
    let event = json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
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
