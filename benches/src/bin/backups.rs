//! `cargo run --release -p benches --bin backups`: what verifying a copy, and an evening's manifest, cost
//! against reading the table and nothing else, on a small table and on a large one. The reader is a process
//! of its own, so that its memory is told from the database's.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use backup::{Base, Manifest, Verifier};
use benches::records::{dynamo, fill};
use benches::{Failed, objects};
use clap::{Parser, Subcommand};
use domain::Timestamp;
use futures_util::future::try_join_all;
use local::{Cloud, Options};
use runtime::{Env, OperatorEnv};
use serde_json::{Value, json};
use store::TableKind;
use store::operator::Segment;
use tokio::process::Command;

/// Measures verification against a bare parallel scan.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,

    /// Tables of so many items, a thing and its revision each
    #[arg(long, num_args = 1.., default_values_t = [10_000, 1_000_000])]
    items: Vec<u64>,

    /// Runs of each, in turns
    #[arg(long, default_value_t = 5)]
    runs: u32,

    /// Where the table goes
    #[arg(long, default_value = "docs/PERFORMANCE-BACKUPS.md")]
    output: PathBuf,

    /// This program as an earlier commit builds it: its manifests are measured in turns with these
    #[arg(long)]
    before: Option<PathBuf>,
}

/// What the program starts itself for.
#[derive(Clone, Copy, Subcommand)]
enum Part {
    /// Reads all records in four segments, and does nothing with them
    #[command(hide = true)]
    Scan,
    /// Verifies the records against a manifest of them
    #[command(hide = true)]
    Verify,
    /// Verifies the bytes of objects that have no checksum
    #[command(hide = true)]
    Objects,
    /// Adds an evening up that is held against no other
    #[command(hide = true)]
    Manifest,
    /// Adds an evening up that is held against the one of the manifest
    #[command(hide = true)]
    Chain,
}

const SEGMENTS: i32 = 4;
const CUT: Timestamp = Timestamp::from_millis(1_800_000_000_000);

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let arguments = Arguments::parse();
    match arguments.part {
        Some(part) => read(part).await,
        None => measure(&arguments).await,
    }
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads once, in a process that is new; prints seconds, items and the most memory.
async fn read(part: Part) -> Result<(), Failed> {
    let env_of = OperatorEnv::new(Env::new(&env));
    let (operator, bucket) = (env_of.operator()?, env_of.bucket()?);
    let started = Instant::now();
    let items = match part {
        Part::Scan => scan(&dynamo(&env)?, operator.table_name(TableKind::Records)).await?,
        Part::Manifest => backup::manifest(&operator, CUT).await?.summary.revisions,
        Part::Chain => {
            let manifest = Arc::new(kept_manifest()?);
            let base = Base { restored: Some(manifest.clone()), ledger: Some(manifest) };
            let evening = backup::evening(&operator, CUT, &base).await?;
            assert_eq!(evening.findings.faults(), 0);
            evening.manifest.summary.revisions
        }
        Part::Objects => {
            let manifest = backup::manifest(&operator, CUT).await?;
            let looks_in_use = false;
            let verifier = Verifier {
                operator: &operator,
                bucket: &bucket,
                manifest: &manifest,
                looks_in_use,
            };
            verifier.objects_segment(bucket.name(), Segment::WHOLE).await?.checked
        }
        Part::Verify => {
            let manifest = kept_manifest()?;
            let verifier = Verifier {
                operator: &operator,
                bucket: &bucket,
                manifest: &manifest,
                looks_in_use: true,
            };
            let report =
                verifier.table(TableKind::Records, operator.table_name(TableKind::Records)).await?;
            assert!(report.is_clean(), "{report:?}");
            report.checked
        }
    };
    let seconds = started.elapsed().as_secs_f64();
    let this = std::process::id();
    let peak_kib = benches::peak_memory_kib(this);
    let measured = json!({ "seconds": seconds, "items": items, "peak_kib": peak_kib });
    println!("{measured}");
    Ok(())
}

fn kept_manifest() -> Result<Manifest, Failed> {
    Ok(Manifest::from_json(&std::fs::read(std::env::var("MANIFEST")?)?)?)
}

async fn scan(dynamo: &aws_sdk_dynamodb::Client, table: &str) -> Result<u64, Failed> {
    let segments = (0..SEGMENTS).map(async |index| {
        let scan = dynamo.scan().table_name(table).segment(index).total_segments(SEGMENTS);
        let mut pages = scan.into_paginator().send();
        let mut items = 0;
        while let Some(page) = pages.next().await {
            items += page?.items().len() as u64;
        }
        Ok::<u64, Failed>(items)
    });
    Ok(try_join_all(segments).await?.iter().sum())
}

/// The ratio of one size, and what it was made of.
struct Row {
    items: u64,
    scans: Vec<Value>,
    verifications: Vec<Value>,
    manifests: Vec<Value>,
    chains: Vec<Value>,
    /// By the earlier commit.
    before: Vec<Value>,
}

async fn measure(arguments: &Arguments) -> Result<(), Failed> {
    let mut rows = Vec::new();
    for items in &arguments.items {
        rows.push(measure_one(*items, arguments).await?);
    }
    let objects = objects::measure(arguments.runs).await?;
    let text = report(&rows) + &objects::report(&objects);
    print!("{text}");
    std::fs::write(&arguments.output, text)?;
    Ok(())
}

async fn measure_one(items: u64, arguments: &Arguments) -> Result<Row, Failed> {
    let folder = tempfile::tempdir()?;
    let cloud = Cloud::start(&Options::new(Path::new("."), folder.path())).await?;
    let environment = cloud.operator_environment().clone();
    let lookup = |name: &str| environment.get(name).cloned();
    let operator = OperatorEnv::new(Env::new(&lookup)).operator()?;
    fill(&dynamo(&lookup)?, operator.table_name(TableKind::Records), items).await?;
    let manifest = folder.path().join("manifest.json");
    std::fs::write(&manifest, backup::manifest(&operator, CUT).await?.to_json())?;
    let this = std::env::current_exe()?;
    let run = async |program: &Path, part: &'static str| -> Result<Value, Failed> {
        let mut command = Command::new(program);
        command.arg(part).env_clear().envs(&environment).env("MANIFEST", &manifest);
        benches::measured(command).await
    };
    let mut row = Row {
        items,
        scans: Vec::new(),
        verifications: Vec::new(),
        manifests: Vec::new(),
        chains: Vec::new(),
        before: Vec::new(),
    };
    // What is done at once is told less exactly.
    let runs = if items < 100_000 { 5 * arguments.runs } else { arguments.runs };
    for turn in 0..=runs {
        eprintln!("backups: {items} items, run {turn} of {runs}");
        let mut measured = Vec::new();
        for part in ["scan", "verify", "manifest", "chain"] {
            measured.push(run(&this, part).await?);
        }
        if let Some(before) = &arguments.before {
            measured.push(run(before, "manifest").await?);
        }
        // The first turn warms up.
        if turn > 0 {
            let mut measured = measured.into_iter();
            let columns =
                [&mut row.scans, &mut row.verifications, &mut row.manifests, &mut row.chains];
            for column in columns {
                column.extend(measured.next());
            }
            row.before.extend(measured.next());
        }
    }
    Ok(row)
}

fn report(rows: &[Row]) -> String {
    let median = |of: &[Value], name: &str| {
        let mut values: Vec<f64> = of.iter().filter_map(|it| it[name].as_f64()).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let mut text = "# What verifying a backup costs

Written by `cargo run --release -p benches --bin backups`: a restored table is verified against its manifest,
and the table in use with it, so that it reads two tables; and one is read by a bare parallel scan of the
SDK's; each in a process of its own, in turns. Medians; the database is the local one, on the same processors, so
only the ratios and the memory mean something elsewhere. What was promised: at least 0.70 of the speed of the
scans, in memory that does not grow with the table.

| items | one scan | verification | speed, to two scans | memory, scan | memory, verification |
|--:|--:|--:|--:|--:|--:|
"
    .to_owned();
    for row in rows {
        let (scan, verification) =
            (median(&row.scans, "seconds"), median(&row.verifications, "seconds"));
        let memory = |of| median(of, "peak_kib") / 1024.0;
        text += &format!(
            "| {} | {scan:.2} s | {verification:.2} s | {:.2} | {:.1} MiB | {:.1} MiB |\n",
            row.items,
            2.0 * scan / verification,
            memory(&row.scans),
            memory(&row.verifications),
        );
    }
    text += "
## An evening

The manifest of the same tables, held against no other evening and held against one (the chain); where a program of
an earlier commit was named with `--before`, its manifest too. Processor time of the reading process, the mean of all
runs.

| items | scan | manifest, before | manifest | with the chain | chain to before | memory, chain |
|--:|--:|--:|--:|--:|--:|--:|
";
    for row in rows {
        let cpu = |of: &[Value]| {
            let seconds = of.iter().filter_map(|it| it["processor"].as_f64());
            seconds.sum::<f64>() / of.len() as f64
        };
        text += &format!(
            "| {} | {:.3} s | {:.3} s | {:.3} s | {:.3} s | {:.2} | {:.1} MiB |\n",
            row.items,
            cpu(&row.scans),
            cpu(&row.before),
            cpu(&row.manifests),
            cpu(&row.chains),
            cpu(&row.chains) / cpu(&row.before),
            median(&row.chains, "peak_kib") / 1024.0,
        );
    }
    text
}
