//! `cargo run --release -p benches --bin changes -- --before FILE`: what creating and changing records takes, against a
//! `local` of an earlier commit, in turns, one after the other and by several writers at once.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use benches::Failed;
use clap::Parser;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

/// Measures changes of records.
#[derive(Parser)]
struct Arguments {
    /// The program of this commit: `cargo build --release -p local` makes it
    #[arg(long, default_value = "target/release/local")]
    program: PathBuf,

    /// That of an earlier one
    #[arg(long)]
    before: PathBuf,

    /// Rounds, in turns
    #[arg(long, default_value_t = 10)]
    rounds: usize,

    /// Records that are created in a round, and changed in it
    #[arg(long, default_value_t = 100)]
    records: usize,

    /// Writers at once
    #[arg(long, num_args = 1.., default_values_t = [1, 8])]
    writers: Vec<usize>,

    /// Milliseconds that a transaction lasts beyond what this machine takes for it, as over a network
    #[arg(long)]
    transactions_last: Option<u64>,
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let arguments = Arguments::parse();
    let mut programs = [
        Serving::start(&arguments.before, &arguments).await?,
        Serving::start(&arguments.program, &arguments).await?,
    ];
    for &writers in &arguments.writers {
        let mut taken: [[Vec<Duration>; 2]; 2] = Default::default();
        let mut spent = [Duration::ZERO; 2];
        for _ in 0..arguments.rounds {
            for ((program, taken), spent) in programs.iter_mut().zip(&mut taken).zip(&mut spent) {
                let started = Instant::now();
                let round = program.round(arguments.records, writers).await?;
                taken[0].extend(round.0);
                taken[1].extend(round.1);
                *spent += started.elapsed();
            }
        }
        for (at, what) in ["create", "update"].into_iter().enumerate() {
            let [before, now] = [0, 1].map(|program| median(&mut taken[program][at]));
            println!(
                "{what}, {writers} at once: {:.2} ms before, {:.2} ms now: {:.2} x",
                before * 1000.0,
                now * 1000.0,
                now / before
            );
        }
        let changes = |program: usize| {
            let made = taken[program].iter().map(Vec::len).sum::<usize>();
            u32::try_from(made).map_or(0.0, f64::from) / spent[program].as_secs_f64()
        };
        let [before, now] = [changes(0), changes(1)];
        println!(
            "changes a second, {writers} at once: {before:.0} before, {now:.0} now: {:.2} x",
            now / before
        );
    }
    Ok(())
}

fn median(taken: &mut [Duration]) -> f64 {
    taken.sort();
    taken.get(taken.len() / 2).map_or(0.0, Duration::as_secs_f64)
}

struct Serving {
    program: Child,
    http: reqwest::Client,
    api: String,
    token: String,
    made: usize,
    _folder: tempfile::TempDir,
}

impl Serving {
    async fn start(program: &Path, arguments: &Arguments) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let last = arguments.transactions_last.map(|it| format!("--transactions-last={it}"));
        let mut program = Command::new(program)
            .args(last)
            .args(["--log-level", "off", "--address", "127.0.0.1:0"])
            .args(["--objects-address", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(program.stdout.take().ok_or("it has an output")?).lines();
        let first = lines.next().ok_or("it says where it is")??;
        let api = first.strip_prefix("AM Service is at ").ok_or("it says where it is")?.to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        let token = testing::letters::sign_up_token(&api, folder.path(), "eva@example.com").await;
        let (http, made) = (reqwest::Client::new(), 0);
        let mut serving = Self { program, http, api, token: String::new(), made, _folder: folder };
        let person = json!({
            "token": token, "company": "Verkstad AB", "name": "Eva Ek",
            "password": "two lathes and a mill",
        });
        serving.post("/v1/customers", "sign-up", &person).await?;
        let log_in = json!({ "email": "eva@example.com", "password": "two lathes and a mill" });
        let session = serving.post("/v1/sessions", "log-in", &log_in).await?;
        serving.token = session["token"].as_str().unwrap_or_default().to_owned();
        Ok(serving)
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Value, Failed> {
        let request = self.http.post(format!("{}{path}", self.api)).bearer_auth(&self.token);
        let request = request.header("idempotency-key", key).json(body);
        Ok(request.send().await?.error_for_status()?.json().await?)
    }

    /// Creates records and changes each: how long each took.
    async fn round(
        &mut self,
        records: usize,
        writers: usize,
    ) -> Result<(Vec<Duration>, Vec<Duration>), Failed> {
        let (first, serving) = (self.made, &*self);
        let write = |writer: usize| async move {
            let (mut created, mut changed) = (Vec::new(), Vec::new());
            for n in 0..records / writers {
                let key = format!("record-{first}-{writer}-{n}");
                let body = body("Pump", &key);
                let started = Instant::now();
                let made = serving.post("/v1/records", &key, &body).await?;
                created.push(started.elapsed());
                let id = made["id"].as_str().unwrap_or_default();
                let url = format!("{}/v1/records/{id}", serving.api);
                let request = serving.http.put(url).bearer_auth(&serving.token);
                let request = request.header("if-match", "\"1\"").json(&self::body("Valve", &key));
                let started = Instant::now();
                request.send().await?.error_for_status()?.bytes().await?;
                changed.push(started.elapsed());
            }
            Ok::<_, Failed>((created, changed))
        };
        let ended = try_join_all((0..writers).map(write)).await?;
        self.made += 1;
        let (created, changed): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
        Ok((created.concat(), changed.concat()))
    }
}

fn body(what: &str, key: &str) -> Value {
    json!({
        "type": "note", "title": format!("{what} {key} leaks oil"),
        "fields": { "bar": 4.5, "seal": "worn", "note": "The seal is worn and drips on the floor" },
    })
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
