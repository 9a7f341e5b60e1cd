//! `cargo run --release -p benches --bin log_in_cost -- --before OLD`: the processor time of a log-in beside argon2id, of the
//! `create-session` of this commit and of an earlier one, in turns within one run. `OLD` is that binary. Whoever logs in is
//! of an earlier release, which both understand, and comes from where they did before.

use std::path::{Path, PathBuf};
use std::time::Duration;

use benches::Failed;
use clap::Parser;
use local::{Cloud, Options};
use serde_json::json;
use testing::world::{Call, PASSWORD, Person, World};

/// Times log-ins.
#[derive(Parser)]
struct Arguments {
    /// The create-session of an earlier commit
    #[arg(long)]
    before: PathBuf,

    /// The template of that commit
    #[arg(long, default_value = "template.yaml")]
    template: PathBuf,

    /// The one of this commit
    #[arg(long, default_value = "target/release/create-session")]
    now: PathBuf,

    /// So many log-ins a round
    #[arg(long, default_value_t = 200)]
    log_ins: usize,

    /// So many rounds of each
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let arguments = Arguments::parse();
    let mut beside = [Vec::new(), Vec::new()];
    for round in 0..2 * arguments.rounds {
        let which = round % 2;
        let here = Path::new("template.yaml");
        let (binary, template) = match which {
            0 => (&arguments.before, arguments.template.as_path()),
            _ => (&arguments.now, here),
        };
        beside[which].push(milliseconds(log_ins(binary, template, arguments.log_ins).await?));
    }
    let [before, now] = beside.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    println!("beside it, a log-in: {before:.2} ms before, {now:.2} ms now: {:.2} x", now / before);
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The processor time of one log-in, of the function's process, but for its hashing, which has a thread of its own.
async fn log_ins(binary: &Path, template: &Path, count: usize) -> Result<Duration, Failed> {
    let data = World::new().await.stop();
    let binaries = tempfile::tempdir()?;
    std::os::unix::fs::symlink(binary.canonicalize()?, binaries.path().join("create-session"))?;
    let options = Options {
        template: template.to_owned(),
        binaries: Some(binaries.path().to_owned()),
        ..testing::world::options(data.path())
    };
    let cloud = Cloud::start_again(&options).await?;
    let log_in = async |n: usize| -> Result<(), Failed> {
        let body = json!({ "email": Person::Viewer.email().as_str(), "password": PASSWORD });
        let call = Call::to("POST /v1/sessions").body(body).later(runtime::now());
        let call = call.header("idempotency-key", &format!("log-in-{n}"));
        let answer = cloud.invoke("create-session", call.json).await?;
        if answer["statusCode"] != 201 {
            return Err(answer.to_string().into());
        }
        Ok(())
    };
    // The first ones start the process and open its connections.
    for n in 0..10 {
        log_in(n).await?;
    }
    let process = child("create-session").ok_or("the function runs")?;
    let before = benches::processor_time_of_main(process);
    for n in 10..10 + count {
        log_in(n).await?;
    }
    Ok(benches::processor_time_of_main(process).saturating_sub(before) / u32::try_from(count)?)
}

/// The process of a function that this one has started.
fn child(name: &str) -> Option<u32> {
    let own = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    processes.filter_map(|it| it.file_name().to_str()?.parse::<u32>().ok()).find(|process| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.split_whitespace().collect();
        fields.get(3) == Some(&own.as_str()) && stat.contains(&format!("({name}"))
    })
}
