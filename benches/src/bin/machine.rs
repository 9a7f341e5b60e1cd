//! `cargo run --release -p benches --bin machine`: what the local cloud costs where there are many records: to
//! start, to do nothing, and to check many passwords at once. It writes docs/PERFORMANCE-LOCAL.md.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use benches::{Failed, records};
use clap::Parser;
use local::{Cloud, Options};
use serde_json::json;

/// Longer than the sweep for what has expired takes to come round twice.
const IDLE: Duration = Duration::from_secs(130);
const LOG_INS: usize = 32;

/// Measures the program as it serves.
#[derive(Parser)]
struct Arguments {
    /// Folders with so many records
    #[arg(long, num_args = 1.., default_values_t = [1_000, 100_000, 1_000_000])]
    records: Vec<u64>,

    /// The program: `cargo build --release -p local` makes it
    #[arg(long, default_value = "target/release/local")]
    program: PathBuf,

    /// Where the table goes
    #[arg(long, default_value = "docs/PERFORMANCE-LOCAL.md")]
    output: PathBuf,
}

struct Row {
    records: u64,
    start: Duration,
    memory_mib: u64,
    idle_percent: f64,
    log_ins_mib: u64,
    afterwards_mib: u64,
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let arguments = Arguments::parse();
    let mut rows = Vec::new();
    for records in &arguments.records {
        rows.push(measure(*records, &arguments.program).await?);
    }
    let text = report(&rows);
    print!("{text}");
    std::fs::write(&arguments.output, text)?;
    Ok(())
}

async fn measure(records: u64, program: &Path) -> Result<Row, Failed> {
    let folder = tempfile::tempdir()?;
    {
        let cloud = Cloud::start(&Options::new(Path::new("."), folder.path())).await?;
        let environment = cloud.operator_environment().clone();
        let lookup = |name: &str| environment.get(name).cloned();
        let table = lookup("RECORDS_TABLE").ok_or("RECORDS_TABLE is not set")?;
        records::fill(&records::dynamo(&lookup)?, &table, 2 * records).await?;
    }
    // The first start with a new release makes indexes; people start it more often than that.
    let (warming, _) = Serving::start(program, folder.path())?;
    tokio::time::sleep(Duration::from_secs(65)).await;
    drop(warming);
    let (serving, start) = Serving::start(program, folder.path())?;
    let id = serving.program.id();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let memory_mib = resident_mib(id);
    let before = benches::processor_time(id);
    tokio::time::sleep(IDLE).await;
    let idle = benches::processor_time(id).saturating_sub(before);
    serving.sign_up(folder.path()).await?;
    futures_util::future::try_join_all((0..LOG_INS).map(|n| serving.log_in(n))).await?;
    let log_ins_mib = benches::peak_memory_kib(id) / 1024;
    tokio::time::sleep(Duration::from_secs(20)).await;
    Ok(Row {
        records,
        start,
        memory_mib,
        idle_percent: 100.0 * idle.as_secs_f64() / IDLE.as_secs_f64(),
        log_ins_mib,
        afterwards_mib: resident_mib(id),
    })
}

fn resident_mib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

struct Serving {
    program: Child,
    api: String,
}

impl Serving {
    fn start(program: &Path, folder: &Path) -> Result<(Self, Duration), Failed> {
        let started = Instant::now();
        let mut program = Command::new(program)
            .args(["--log-level", "off", "--address", "127.0.0.1:0"])
            .args(["--objects-address", "127.0.0.1:0", "--data"])
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(program.stdout.take().ok_or("it has an output")?).lines();
        let first = lines.next().ok_or("it says where it is")??;
        let start = started.elapsed();
        let api = first.strip_prefix("AM Service is at ").ok_or("it says where it is")?.to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        Ok((Self { program, api }, start))
    }

    async fn sign_up(&self, data: &Path) -> Result<(), Failed> {
        for n in 0..LOG_INS {
            let email = format!("eva{n}@example.com");
            let token = testing::letters::sign_up_token(&self.api, data, &email).await;
            let person = json!({
                "token": token, "company": "Verkstad AB", "name": "Eva Ek",
                "password": "two lathes and a mill",
            });
            let request = reqwest::Client::new().post(format!("{}/v1/customers", self.api));
            let request = request.header("idempotency-key", format!("sign-up-{n}"));
            let answer = request.json(&person).send().await?;
            if !answer.status().is_success() {
                return Err(answer.text().await?.into());
            }
        }
        Ok(())
    }

    /// Whatever it is answered with: some may have to wait.
    async fn log_in(&self, n: usize) -> Result<(), Failed> {
        let body = json!({
            "email": format!("eva{n}@example.com"), "password": "two lathes and a mill",
        });
        let request = reqwest::Client::new().post(format!("{}/v1/sessions", self.api));
        request.header("idempotency-key", format!("log-in-{n}")).json(&body).send().await?;
        Ok(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn report(rows: &[Row]) -> String {
    let mut text = format!(
        "# What the local cloud costs

Written by `cargo run --release -p benches --bin machine`: the released program on a folder of so many records, each
with one revision. Its second start, from the command to the line that says where it is; then {} s in which nobody
asks for anything; then {LOG_INS} log-ins at once, and 20 s later.

| records | start | memory | idle, of a core | memory at the log-ins | and afterwards |
|--:|--:|--:|--:|--:|--:|
",
        IDLE.as_secs()
    );
    for row in rows {
        text += &format!(
            "| {} | {:.2} s | {} MiB | {:.2} % | {} MiB | {} MiB |\n",
            row.records,
            row.start.as_secs_f64(),
            row.memory_mib,
            row.idle_percent,
            row.log_ins_mib,
            row.afterwards_mib,
        );
    }
    text
}
