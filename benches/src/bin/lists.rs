//! `cargo run --release -p benches --bin lists`: what a page of each list, and of a search, costs with a thousand records
//! and with a million; and what a change costs. It writes docs/PERFORMANCE-LISTS.md.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use benches::{Failed, records};
use clap::Parser;
use domain::{Revision, Timestamp, UserId};
use futures_util::future::try_join_all;
use local::{Cloud, Options};
use serde_json::{Value, json};

const PASSWORD: &str = "two lathes and a mill";
const MACHINE: &str = "01KEZ00000MACHNEAAAAAAAAAA";
/// Batches are written so many at once.
const AT_ONCE: usize = 16;

/// Measures pages of lists.
#[derive(Parser)]
struct Arguments {
    /// Customers with so many records
    #[arg(long, num_args = 1.., default_values_t = [1_000, 100_000, 1_000_000])]
    records: Vec<u64>,

    /// Pages of each list, in turns
    #[arg(long, default_value_t = 51)]
    pages: usize,

    /// Where the table goes
    #[arg(long, default_value = "docs/PERFORMANCE-LISTS.md")]
    output: PathBuf,
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let arguments = Arguments::parse();
    let mut stages = Vec::new();
    for records in &arguments.records {
        stages.push(Stage::with(*records).await?);
    }
    let queries = queries(&stages[0].user);
    let mut rows = Vec::new();
    for (name, _) in &queries {
        eprintln!("{name}");
        let mut pages: Vec<Page> = Vec::new();
        for stage in &stages {
            let query = stage.queries().into_iter().find(|(it, _)| it == name);
            pages.push(Page { query: query.ok_or("it is listed")?.1, ..Page::default() });
        }
        for _ in 0..arguments.pages {
            for (stage, page) in stages.iter().zip(&mut pages) {
                stage.ask(page).await?;
            }
        }
        rows.push((*name, pages));
    }
    let text = report(&arguments, &rows, &stages[0].changes().await?);
    print!("{text}");
    std::fs::write(&arguments.output, text)?;
    Ok(())
}

/// A company with so many records, and a session of its owner.
struct Stage {
    cloud: Cloud,
    http: reqwest::Client,
    token: String,
    user: String,
    _folder: tempfile::TempDir,
}

/// A page as it was asked for some times.
#[derive(Default)]
struct Page {
    query: String,
    records: usize,
    units: f64,
    requests: u64,
    taken: Vec<Duration>,
}

impl Page {
    fn median(&self) -> f64 {
        let mut taken = self.taken.clone();
        taken.sort();
        taken.get(taken.len() / 2).map_or(0.0, Duration::as_secs_f64)
    }
}

fn queries(user: &str) -> Vec<(&'static str, String)> {
    vec![
        ("all by id", "limit=25".to_owned()),
        ("all by change", "limit=25&order=changed".to_owned()),
        ("open", "limit=25&state=open".to_owned()),
        ("a type", "limit=25&type=job".to_owned()),
        ("a type, open", "limit=25&type=job&state=open".to_owned()),
        ("a state", "limit=25&type=job&state=new".to_owned()),
        ("an assignee", format!("limit=25&assignee={user}")),
        ("about a machine", format!("limit=25&about={MACHINE}")),
        ("due before a day", "limit=25&due_before=2026-12-01".to_owned()),
        ("changed since", "limit=25&changed_since=2026-01-15T08:00:00Z".to_owned()),
        ("oldest change first", "limit=25&order=changed&direction=ascending".to_owned()),
        ("a word that all have", "limit=25&words=pump".to_owned()),
        ("a number", "limit=25&words=nr777".to_owned()),
        ("two words", "limit=25&words=pump%20bearing".to_owned()),
        ("a word, of open ones", "limit=25&words=pump&state=open".to_owned()),
    ]
}

impl Stage {
    async fn with(count: u64) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let cloud = Cloud::start(&Options::new(&root, folder.path())).await?;
        let made = cloud.invoke("make-sign-up-token", json!({"email": "eva@example.com"})).await?;
        let (http, token, user) = (reqwest::Client::new(), String::new(), String::new());
        let mut stage = Self { cloud, http, token, user, _folder: folder };
        let person = json!({
            "token": made["token"], "company": "Verkstad AB", "name": "Eva Ek", "password": PASSWORD,
        });
        let signed_up = stage.post("/v1/customers", "sign-up", &person).await?;
        let log_in = json!({"email": "eva@example.com", "password": PASSWORD});
        let session = stage.post("/v1/sessions", "log-in", &log_in).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        stage.token = text(&session["token"]);
        stage.user = text(&signed_up["user"]["id"]);
        stage.fill(&text(&signed_up["customer"]["id"]), count).await?;
        stage.cloud.count_units();
        Ok(stage)
    }

    fn queries(&self) -> Vec<(&'static str, String)> {
        queries(&self.user)
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Value, Failed> {
        let url = format!("http://{}{path}", self.cloud.address());
        let request = self.http.post(url).bearer_auth(&self.token).header("idempotency-key", key);
        Ok(request.json(body).send().await?.error_for_status()?.json().await?)
    }

    /// Puts records as the service writes them, and has the index made of them.
    async fn fill(&self, customer: &str, count: u64) -> Result<(), Failed> {
        let environment = self.cloud.operator_environment().clone();
        let lookup = |name: &str| environment.get(name).cloned();
        let dynamo = records::dynamo(&lookup)?;
        let table = lookup("RECORDS_TABLE").ok_or("RECORDS_TABLE is not set")?;
        let user: UserId = self.user.parse()?;
        let mut batches = Vec::new();
        let mut batch = Vec::new();
        for n in 0..count {
            let put = PutRequest::builder().set_item(Some(record(customer, user, n)));
            batch.push(WriteRequest::builder().put_request(put.build()?).build());
            if batch.len() == 25 || n + 1 == count {
                let write = dynamo.batch_write_item();
                batches.push(write.request_items(&table, std::mem::take(&mut batch)).send());
            }
            if batches.len() == AT_ONCE || n + 1 == count {
                try_join_all(std::mem::take(&mut batches)).await?;
            }
        }
        let started = Instant::now();
        self.cloud.invoke("build-index", json!({})).await?;
        eprintln!("{count} records: the index was made in {:.0?}", started.elapsed());
        Ok(())
    }

    async fn ask(&self, page: &mut Page) -> Result<(), Failed> {
        let url = format!("http://{}/v1/records?{}", self.cloud.address(), page.query);
        let counted = || {
            let usage = self.cloud.usage();
            (usage.units.values().sum::<f64>(), usage.requests.values().sum::<u64>())
        };
        let (before, started) = (counted(), Instant::now());
        let answer = self.http.get(url).bearer_auth(&self.token).send().await?;
        let answer = answer.error_for_status()?.bytes().await?;
        page.taken.push(started.elapsed());
        let after = counted();
        (page.units, page.requests) = (after.0 - before.0, after.1 - before.1);
        let answer: Value = serde_json::from_slice(&answer)?;
        page.records = answer["records"].as_array().map_or(0, Vec::len);
        Ok(())
    }

    /// What changes cost: name, units, requests.
    async fn changes(&self) -> Result<Vec<(&'static str, f64, u64)>, Failed> {
        let free = json!({
            "type": "note", "title": "Oil leak at pump three", "fields": { "bar": 4.5, "seal": "worn" },
        });
        let typed = json!({
            "type": "deviation", "title": "Oil leak at pump three", "assignees": [self.user],
            "due": "2026-12-24", "about": MACHINE,
            "fields": { "severity": "high", "description": "The seal of the pump is worn and drips" },
        });
        // With the first one it is counted what the company has.
        self.post("/v1/records", "first", &free).await?;
        let mut costs = Vec::new();
        for (names, body) in [
            (["create, free fields", "change of a field", "change of the title", "delete"], free),
            (
                [
                    "create, of a type, with assignee, day and machine",
                    "change of a field, of a type",
                    "change of the title, of a type",
                    "delete, of a type",
                ],
                typed,
            ),
        ] {
            let counted = || {
                let usage = self.cloud.usage();
                (usage.units.values().sum::<f64>(), usage.requests.values().sum::<u64>())
            };
            let mut before = counted();
            let mut note = |name| {
                let after = counted();
                costs.push((name, after.0 - before.0, after.1 - before.1));
                before = after;
            };
            let key = format!("change-{}", body["type"].as_str().unwrap_or_default());
            let made = self.post("/v1/records", &key, &body).await?;
            note(names[0]);
            let id = made["id"].as_str().unwrap_or_default();
            let url = format!("http://{}/v1/records/{id}", self.cloud.address());
            let field = if body["type"] == "note" { "bar" } else { "stopped" };
            let value = if body["type"] == "note" { json!(5) } else { json!(true) };
            let patches =
                [json!({ "fields": { field: value } }), json!({ "title": "Oil at pump four" })];
            for (version, patch) in patches.iter().enumerate() {
                let request = self.http.patch(&url).bearer_auth(&self.token);
                let request = request.header("if-match", format!("\"{}\"", version + 1));
                request.json(patch).send().await?.error_for_status()?;
                note(names[version + 1]);
            }
            let request = self.http.delete(&url).bearer_auth(&self.token);
            request.header("if-match", "\"3\"").send().await?.error_for_status()?;
            note(names[3]);
        }
        Ok(costs)
    }
}

/// A record that stands in all lists.
fn record(
    customer: &str,
    user: UserId,
    n: u64,
) -> std::collections::HashMap<String, AttributeValue> {
    let sort = format!("RECORD#01KEZ0000{n:09}AAAAAAAA");
    let word = if n.is_multiple_of(100) { "bearing" } else { "seal" };
    let content = json!({
        "type": "job", "title": format!("Pump {word} nr{n}"), "fields": {}, "type_version": 1,
        "state": "new", "open": true, "assignees": [user], "due": "2026-06-01", "about": MACHINE,
    })
    .to_string();
    let at = Timestamp::from_millis(1_768_464_000_000 + i64::try_from(n).unwrap_or_default());
    let digest = Revision::first((), user, at).digest(&format!("{customer}/{sort}"), &content);
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let number = |value: i64| AttributeValue::N(value.to_string());
    [
        ("pk", text(customer)),
        ("sk", text(&sort)),
        ("version", number(1)),
        ("created_at_ms", number(at.millis())),
        ("created_by", text(&user.to_string())),
        ("changed_at_ms", number(at.millis())),
        ("changed_by", text(&user.to_string())),
        ("content", text(&content)),
        ("digest", text(&digest.to_string())),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn report(
    arguments: &Arguments,
    rows: &[(&str, Vec<Page>)],
    changes: &[(&str, f64, u64)],
) -> String {
    let sizes: Vec<String> = arguments.records.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "# What lists and searches cost

Written by `cargo run --release -p benches --bin lists`: pages of 25 of companies that have {} records, asked for in
turns, {} of each; the session is read with them. Units are DynamoDB's read units as its local stand-in counts them;
time is the median from the request to the answer on one machine, so only ratios mean something elsewhere. What was
promised: at most 1.1 of the units and 1.2 of the time with any number of records.

| page | requests | units |{}
|---|--:|--:|{}
",
        sizes.join(", "),
        arguments.pages,
        sizes.iter().map(|it| format!(" {it}: units | time |")).collect::<String>(),
        "--:|--:|".repeat(sizes.len()),
    );
    for (name, pages) in rows {
        let first = &pages[0];
        text += &format!(
            "| {name} ({} records) | {} | {:.1} |",
            first.records, first.requests, first.units
        );
        for page in pages {
            let (units, time) = (page.units / first.units, page.median() / first.median());
            text += &format!(" {units:.2} | {time:.2} ({:.1} ms) |", page.median() * 1000.0);
        }
        text += "\n";
    }
    text += "
Where there are more records, a number and two words find more of them: 25 in place of 1 and of 10.

## Changes

Read and write units together, with the session and the answer that is remembered. A write in a transaction counts twice.

| change | requests | units |
|---|--:|--:|
";
    for (name, units, requests) in changes {
        text += &format!("| {name} | {requests} | {units:.0} |\n");
    }
    text
}
