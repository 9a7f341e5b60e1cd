//! `cargo run -p local`: AM Service on this machine.

mod commands;
mod said;

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use local::{Cloud, Options, PublicUrl};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// AM Service on this machine: the API, its database, its bucket and their events, in one process
/// and one folder. No account, container or second install.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// Where the API listens: a loopback address
    #[arg(long, global = true, default_value_t = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000))]
    address: SocketAddr,

    /// Where uploads and downloads of appendices go: a loopback address
    #[arg(long, global = true, default_value_t = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3001))]
    objects_address: SocketAddr,

    /// The folder that keeps everything, over restarts
    #[arg(long, global = true, default_value = "data")]
    data: PathBuf,

    /// The template whose routes, tables and events are served
    #[arg(long, global = true, default_value = "template.yaml")]
    template: PathBuf,

    /// Parameters of the template that are not to have their default: NAME=VALUE
    #[arg(long, global = true, value_name = "NAME=VALUE", num_args = 1.., value_parser = name_and_value)]
    parameter_overrides: Vec<(String, String)>,

    /// Run built binaries from this folder behind Lambda's Runtime API, instead of this process
    #[arg(long, global = true)]
    binaries: Option<PathBuf>,

    /// Where others find it, where a proxy on this machine speaks TLS for it: https://NAME
    ///
    /// docs/ONE-MACHINE.md says how to set one up.
    #[arg(long, global = true)]
    public_url: Option<PublicUrl>,

    /// Answer in JSON, for a program to read
    #[arg(long, global = true)]
    json: bool,

    /// What to log: off, error, warn, info, debug or trace
    #[arg(long, global = true, default_value_t = LevelFilter::INFO)]
    log_level: LevelFilter,

    /// Milliseconds that a transaction lasts beyond what this machine takes for it, as over a network: for measurements
    #[arg(long, hide = true, default_value_t = 0)]
    transactions_last: u64,
}

#[derive(Subcommand)]
enum Command {
    /// Back everything up now, restore it beside, and verify it item by item: the whole evening
    ///
    /// The service must not be running on the folder. Ends with 1 if anything is found wrong.
    Backup,

    /// Say what is done next, and when, in the zone that the template names
    Schedule,

    /// Put the whole service back to a second of the last 35 days, beside what there is now
    ///
    /// The service must not be running on the folder. Without --execute, only says what would be done.
    Restore(commands::Restore),

    /// Take what is there as it is, after an evening has found something gone
    ///
    /// The service must not be running on the folder. What is said here stays in the ledger.
    Acknowledge(commands::Acknowledge),

    /// Say what a company may keep: bytes, versions of appendices, records
    ///
    /// The service must not be running on the folder.
    Quota(commands::Quota),

    /// List every company: its people, what it keeps and what it may
    ///
    /// The service must not be running on the folder.
    Companies,

    /// Say what each company uses, as CSV, for invoices: at the end of a month, it is that month's
    ///
    /// The service must not be running on the folder.
    Usage,

    /// Log everybody of a company out, and let nobody in for now
    ///
    /// The service must not be running on the folder. Nothing that the company keeps changes.
    Suspend(commands::Suspend),

    /// Let the people of a company work again
    ///
    /// The service must not be running on the folder.
    Resume(commands::Resume),

    /// Make what lets somebody set a password who has forgotten theirs: a token, good for a day, once
    ///
    /// The service must not be running on the folder. The token goes to POST /v1/password-resets. Make sure first who
    /// it is that asks.
    ResetToken(commands::ResetToken),

    /// Forget a person who was removed from a company: name and address go, what they did stays
    ///
    /// The service must not be running on the folder. No restore brings them back.
    Forget(commands::Forget),

    /// Make a link to sign a company up with, good for a day
    ///
    /// The service must not be running on the folder. Make sure first that the address is the person's.
    SignUpLink(commands::SignUpLink),
}

/// A body for a first request.
const SIGN_UP: &str = r#"{"email": "eva@example.com"}"#;

/// Whose lines are ours: nothing in them is secret or personal.
const OURS: [&str; 9] = [
    "am_http",
    "am_service",
    "backup",
    "crashes",
    "local",
    "mail",
    "passwords",
    "runtime",
    "store",
];

fn name_and_value(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let lines = tracing_subscriber::fmt::layer()
        .with_target(false)
        // It would be told on standard error, and end what was being done: a full disk stops no answer.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    // Libraries would tell more than they may: an SDK that is asked for everything says what it sends.
    let level = arguments.log_level;
    let filter = OURS
        .iter()
        .fold(Targets::new().with_default(level.min(LevelFilter::WARN)), |filter, ours| {
            filter.with_target(*ours, level)
        });
    tracing_subscriber::registry().with(lines).with(filter).init();
    let executor = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match executor {
        Ok(executor) => executor.block_on(run(arguments)),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            let mut source = error.source();
            while let Some(error) = source {
                eprintln!("  because: {error}");
                source = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// Builds the web client where it is missing or old; without Python or a network, the API is served all the same.
fn build_client(repository: &Path) {
    let program = repository.join("web/build");
    if !program.exists() {
        return;
    }
    let built =
        std::process::Command::new("python3").arg(&program).stdout(std::io::stderr()).status();
    if !built.is_ok_and(|status| status.success()) {
        tracing::warn!("the web client was not built, so there are no pages; web/build says why");
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    // Only who serves has an address that others know.
    let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let serves = arguments.command.is_none();
    let repository = arguments.template.parent().unwrap_or(Path::new(".")).to_owned();
    let options = Options {
        web: repository.join("web/dist"),
        template: arguments.template,
        parameters: arguments.parameter_overrides.into_iter().collect(),
        data: arguments.data.clone(),
        address: if serves { arguments.address } else { any },
        objects_address: if serves { arguments.objects_address } else { any },
        binaries: arguments.binaries,
        public_url: arguments.public_url,
        prints_letters: serves,
    };
    match arguments.command {
        Some(Command::Backup) => return commands::back_up(&options, arguments.json).await,
        Some(Command::Schedule) => return commands::schedule(&options),
        Some(Command::Acknowledge(acknowledge)) => {
            return acknowledge.run(&options, arguments.json).await;
        }
        Some(Command::Quota(quota)) => return quota.run(&options).await,
        Some(Command::Usage) => return commands::usage(&options).await,
        Some(Command::Companies) => return commands::companies(&options).await,
        Some(Command::Suspend(suspend)) => return suspend.run(&options).await,
        Some(Command::Resume(resume)) => return resume.run(&options).await,
        Some(Command::ResetToken(reset)) => return reset.run(&options).await,
        Some(Command::Forget(forget)) => return forget.run(&options).await,
        Some(Command::SignUpLink(link)) => {
            return link.run(&options, arguments.address).await;
        }
        Some(Command::Restore(restore)) => return restore.run(&options, arguments.json).await,
        None => {}
    }
    build_client(&repository);
    let cloud = Cloud::start(&options).await?;
    cloud.refuse_half_a_database()?;
    cloud.prolong_transactions(Duration::from_millis(arguments.transactions_last));
    let address = cloud.address();
    println!("AM Service is at http://{address}");
    println!("  appendices   http://{}", cloud.objects_address());
    println!("  data         {}", std::path::absolute(&arguments.data)?.display());
    for function in cloud.functions() {
        for route in &function.routes {
            println!("  {:<7} {:<62} {}", route.method, route.path, function.binary);
        }
    }
    println!("\nTry it:");
    println!("  curl -i http://{address}/v1/sign-ups \\");
    println!("    -H 'Content-Type: application/json' \\");
    println!("    -d '{SIGN_UP}'");
    println!("\nREADME.md goes on from there. Ctrl-C stops; nothing is lost.");
    tokio::signal::ctrl_c().await?;
    Ok(ExitCode::SUCCESS)
}
