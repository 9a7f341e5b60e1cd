//! `cargo run -p benches`: what a start, an answer and a megabyte of each function cost, against a
//! hello world and against Node.js and Python doing the same. Everything is built and measured here,
//! in one run: only the ratios mean something on another machine.

mod prepare;
mod report;
mod sandbox;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use clap::Parser;

use prepare::Contender;
use sandbox::{Sandbox, Taken};

/// Measures starts, answers and sizes of the built functions, and writes docs/PERFORMANCE.md.
#[derive(Parser)]
struct Arguments {
    /// Cold starts of each
    #[arg(long, default_value_t = 31, value_parser = clap::value_parser!(u32).range(3..))]
    starts: u32,

    /// Warm answers of each; log-ins are a twentieth as many
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(100..))]
    answers: u32,

    /// Where the table goes
    #[arg(long, default_value = "docs/PERFORMANCE.md")]
    output: PathBuf,

    /// Binaries that are built already, in place of a release build
    #[arg(long)]
    binaries: Option<PathBuf>,

    /// A get-record of an earlier commit: only that, today's and the hello world are measured, in one run, and
    /// nothing is written
    #[arg(long)]
    before: Option<PathBuf>,
}

/// What was measured of one contender.
struct Measured {
    name: &'static str,
    what: &'static str,
    cold: Vec<Taken>,
    /// Since the event was handed over.
    warm: Vec<Duration>,
    warm_processor: Vec<Duration>,
    /// The part of it that threads other than the first took.
    warm_processor_beside: Vec<Duration>,
    file_bytes: u64,
}

fn main() -> ExitCode {
    let executor = tokio::runtime::Runtime::new();
    let ended = match executor {
        Ok(executor) => executor.block_on(run(&Arguments::parse())),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let stage = prepare::stage(arguments.binaries.as_deref(), arguments.before.as_deref()).await?;
    let mut measured: Vec<Measured> = stage.contenders.iter().map(Measured::nothing).collect();
    // In turns, so that a busy moment of the machine is shared by all.
    for round in 1..=arguments.starts {
        eprint!("\rcold starts: round {round} of {}", arguments.starts);
        for (contender, measured) in stage.contenders.iter().zip(&mut measured) {
            let event = contender.event(round);
            let (_, answer, taken) = Sandbox::first(&contender.program, &event).await?;
            contender.check(&answer)?;
            measured.cold.push(taken);
        }
    }
    eprintln!();
    for (contender, measured) in stage.contenders.iter().zip(&mut measured) {
        eprintln!("warm answers: {}", contender.name);
        let count = arguments.answers / if contender.slow { 20 } else { 1 };
        warm(contender, count, measured).await?;
    }
    let table = report::table(&measured, arguments);
    println!("{table}");
    if arguments.before.is_some() {
        return Ok(());
    }
    std::fs::write(&arguments.output, table)?;
    eprintln!("written to {}", arguments.output.display());
    Ok(())
}

async fn warm(
    contender: &Contender,
    count: u32,
    measured: &mut Measured,
) -> Result<(), Box<dyn Error>> {
    // What a just-in-time compiler and a connection pool need is not counted.
    let unmeasured = count / 10;
    let first: Bytes = contender.event(1_000_000);
    let (mut sandbox, _, mut before) = Sandbox::first(&contender.program, &first).await?;
    for n in 0..unmeasured + count {
        let event = contender.event(1_000_001 + n);
        let (answer, taken) = sandbox.ask(&event).await?;
        contender.check(&answer)?;
        if n >= unmeasured {
            measured.warm.push(taken.wall);
            let whole = taken.processor - before.processor;
            let of_main = taken.processor_of_main - before.processor_of_main;
            measured.warm_processor.push(whole);
            measured.warm_processor_beside.push(whole.saturating_sub(of_main));
        }
        before = taken;
    }
    Ok(())
}

impl Measured {
    fn nothing(contender: &Contender) -> Self {
        Self {
            name: contender.name,
            what: contender.what,
            cold: Vec::new(),
            warm: Vec::new(),
            warm_processor: Vec::new(),
            warm_processor_beside: Vec::new(),
            file_bytes: contender.file_bytes,
        }
    }
}
