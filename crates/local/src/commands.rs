//! What the program does instead of serving.

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::said;
use clap::Args;
use domain::Timestamp;
use local::{BroughtBack, Cloud, Due, Options, Progress};
use serde_json::{Value, json};

type Ended = Result<ExitCode, Box<dyn Error>>;

/// AWS takes minutes for what takes less here.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// Runs a whole evening, says how it goes, and shows the evidence.
pub async fn back_up(options: &Options, as_json: bool) -> Ended {
    let cloud = Cloud::start(options).await?;
    cloud.refuse_half_a_database()?;
    let started = Instant::now();
    let evening = cloud
        .run_evening(|progress| {
            let seconds = started.elapsed().as_secs_f32();
            let what = match progress {
                Progress::Opened { cut, revisions, digest } => {
                    format!("manifest   {revisions} revisions before {cut}, digest {digest}")
                }
                Progress::Clock { machine, service } => {
                    format!("clock      says {machine}, and it was {service} already")
                }
                Progress::Chained { holds: true, since, .. } => {
                    format!("chain      holds since {since}")
                }
                Progress::Chained { gone, .. } => lines("chain      BROKEN".to_owned(), &gone),
                Progress::Traced { table, gone } => {
                    lines(format!("trace      {table}: what is gone, by key"), &gone)
                }
                Progress::BackedUp { resource, state, items } => {
                    format!("backup     {resource}: {state}, {items} items")
                }
                Progress::Restored { resource, state } => format!("restore    {resource}: {state}"),
                Progress::Judged { resource, verdict } => {
                    format!("verdict    {resource}: {verdict}")
                }
            };
            println!("{seconds:7.1} s  {what}");
        })
        .await?;
    if as_json {
        println!("\n{}", serde_json::to_string_pretty(&evening.evidence)?);
    } else {
        println!("\n{}", said::evidence(&evening.evidence));
    }
    let refuted = evening.verdicts.iter().any(|(_, verdict)| verdict != "SUCCESSFUL");
    let mut errors = Vec::new();
    if !evening.chain_holds {
        let what = "something is gone that was there an evening before: docs/runbooks/chain.md";
        errors.push(what.to_owned());
    }
    errors.extend(
        evening
            .failed
            .iter()
            .map(|(resource, state)| format!("{resource} was not proven: {state}")),
    );
    if refuted {
        let what = "not everything that was backed up is as it was; the log above says what";
        errors.push(what.to_owned());
    }
    errors.extend(evening.broken);
    for error in &errors {
        eprintln!("error: {error}");
    }
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is gone, a line each: enough to know where to look.
fn lines(title: String, gone: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut text = title;
    for it in gone.iter().take(SHOWN) {
        text += &format!("\n                      {it}");
    }
    if gone.len() > SHOWN {
        let more = gone.len() - SHOWN;
        text +=
            &format!("\n                      and {more} more: docs/runbooks/chain.md says where");
    }
    text
}

/// Says what is done when.
pub fn schedule(options: &Options) -> Ended {
    for Due { what, at, left } in options.schedule()? {
        let minutes = left.as_secs().div_ceil(60);
        let left = match (minutes / (24 * 60), minutes / 60 % 24, minutes % 60) {
            (0, 0, minutes) => format!("{minutes} min"),
            (0, hours, minutes) => format!("{hours} h {minutes} min"),
            (days, hours, _) => format!("{days} d {hours} h"),
        };
        println!("{at}   in {left:<12} {what}");
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Args)]
pub struct Acknowledge {
    /// The run that has found something gone, or that was opened by a clock that was ahead, as `backup` and the ledger name it: 2026-11-24T17:00:00Z
    #[arg(long)]
    run: String,

    /// Who has looked, what is gone, and what was done about it
    #[arg(long)]
    note: String,
}

impl Acknowledge {
    /// Lets the chain of evenings go on from a run that has found something gone.
    pub async fn run(self, options: &Options, as_json: bool) -> Ended {
        let cloud = Cloud::start(options).await?;
        let event = json!({ "run": self.run, "note": self.note });
        let outcome = cloud.invoke("acknowledge-chain", event).await?;
        if as_json {
            println!("{}", serde_json::to_string_pretty(&outcome)?);
        } else {
            println!("{}", said::acknowledgement(&outcome));
        }
        drop(cloud);
        if outcome["reason"] == "clock" {
            options.forget_time()?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub struct Quota {
    /// The company, by its id
    #[arg(long)]
    customer: String,

    /// How many GiB of appendices
    #[arg(long)]
    gib: Option<u64>,

    /// How many versions of appendices
    #[arg(long)]
    versions: Option<u64>,

    /// How many records
    #[arg(long)]
    records: Option<u64>,
}

impl Quota {
    /// Sets what is given, and says what holds then.
    pub async fn run(self, options: &Options) -> Ended {
        let cloud = Cloud::start(options).await?;
        let bytes = self.gib.map(|gib| gib.saturating_mul(1 << 30));
        let event = json!({
            "customer": self.customer,
            "bytes": bytes,
            "versions": self.versions,
            "records": self.records,
        });
        let outcome = cloud.invoke("set-quota", event).await?;
        println!("{}", serde_json::to_string_pretty(&outcome)?);
        Ok(ExitCode::SUCCESS)
    }
}

/// Says which companies there are.
pub async fn companies(options: &Options) -> Ended {
    let cloud = Cloud::start(options).await?;
    let outcome = cloud.invoke("list-customers", json!({})).await?;
    println!("{}", serde_json::to_string_pretty(&outcome)?);
    Ok(ExitCode::SUCCESS)
}

/// Says what each company uses.
pub async fn usage(options: &Options) -> Ended {
    let cloud = Cloud::start(options).await?;
    let outcome = cloud.invoke("export-usage", json!({})).await?;
    print!("{}", outcome["csv"].as_str().unwrap_or_default());
    Ok(ExitCode::SUCCESS)
}

#[derive(Args)]
pub struct Suspend {
    /// The company, by its id
    #[arg(long)]
    customer: String,

    /// Why: it stays in the company's history
    #[arg(long)]
    reason: String,
}

impl Suspend {
    /// Logs everybody of a company out, and lets nobody in.
    pub async fn run(self, options: &Options) -> Ended {
        suspend(options, json!({ "customer": self.customer, "reason": self.reason })).await
    }
}

#[derive(Args)]
pub struct Resume {
    /// The company, by its id
    #[arg(long)]
    customer: String,
}

impl Resume {
    /// Lets the people of a company work again.
    pub async fn run(self, options: &Options) -> Ended {
        suspend(options, json!({ "customer": self.customer })).await
    }
}

async fn suspend(options: &Options, event: Value) -> Ended {
    let cloud = Cloud::start(options).await?;
    let outcome = cloud.invoke("suspend-customer", event).await?;
    println!("{}", serde_json::to_string_pretty(&outcome)?);
    Ok(ExitCode::SUCCESS)
}

#[derive(Args)]
pub struct ResetToken {
    /// What the person logs in with: eva@example.com, or eva@verkstad
    sign_in_name: String,
}

impl ResetToken {
    /// Makes what lets somebody set a password.
    pub async fn run(self, options: &Options) -> Ended {
        let cloud = Cloud::start(options).await?;
        let event = json!({ "sign_in_name": self.sign_in_name });
        let outcome = cloud.invoke("make-reset-token", event).await?;
        println!("{}", serde_json::to_string_pretty(&outcome)?);
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub struct Forget {
    /// The company, by its id
    #[arg(long)]
    customer: String,

    /// The person, by their id there
    #[arg(long)]
    user: String,
}

impl Forget {
    /// Forgets a person.
    pub async fn run(self, options: &Options) -> Ended {
        let cloud = Cloud::start(options).await?;
        let event = json!({ "customer": self.customer, "user": self.user });
        let outcome = cloud.invoke("forget-person", event).await?;
        println!("{}", serde_json::to_string_pretty(&outcome)?);
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub struct SignUpLink {
    /// The address that the person signs up under
    email: String,
}

impl SignUpLink {
    /// Makes what lets somebody sign a company up.
    pub async fn run(self, options: &Options, serves_at: SocketAddr) -> Ended {
        let cloud = Cloud::start(options).await?;
        let event = json!({ "email": self.email });
        let outcome = cloud.invoke("make-sign-up-token", event).await?;
        let here = format!("http://localhost:{}", serves_at.port());
        let origin = options.public_url.as_ref().map_or(here.as_str(), |url| url.as_str());
        println!("{origin}/sign-up#{}", outcome["token"].as_str().unwrap_or_default());
        println!("Good until {}.", outcome["expires_at"].as_str().unwrap_or_default());
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub struct Restore {
    /// The moment to go back to, a whole second: 2026-11-24T17:00:00Z
    #[arg(long, required_unless_present = "from_backup")]
    to: Option<String>,

    /// Why: data_lost, data_damaged, faulty_release, intrusion or drill
    #[arg(long, required_unless_present = "from_backup")]
    reason: Option<String>,

    /// The database is gone: put the newest verified backup in its place
    #[arg(long, conflicts_with_all = ["to", "reason", "execute", "accept_findings", "abandon"])]
    from_backup: bool,

    /// Do it, and use what was restored from then on
    #[arg(long)]
    execute: bool,

    /// Go on in spite of what was found wrong
    #[arg(long)]
    accept_findings: bool,

    /// Give up a restore that was begun
    #[arg(long)]
    abandon: bool,
}

impl Restore {
    /// Asks for the restore until it is done, and switches to it.
    pub async fn run(self, options: &Options, as_json: bool) -> Ended {
        let say = |outcome: &Value| match as_json {
            true => serde_json::to_string_pretty(outcome).unwrap_or_default(),
            false => said::restore(outcome),
        };
        if self.from_backup {
            return bring_back(options).await;
        }
        let event = json!({
            "to": self.to,
            "reason": self.reason,
            "execute": self.execute,
            "accept_findings": self.accept_findings,
            "abandon": self.abandon,
        });
        let cloud = Cloud::start(options).await?;
        let outcome = ask(&cloud, &event).await?;
        if !self.execute || outcome["state"] != "ready" {
            println!("{}", say(&outcome));
            let refused = self.execute && !self.abandon && outcome["state"] != "done";
            return Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
        drop(cloud);
        let restored_as = outcome["restore"]["restored_as"].as_str().unwrap_or_default();
        options.remember_restored(restored_as)?;
        println!("switched to the tables that end in {restored_as}");
        let cloud = Cloud::start_again(options).await?;
        let outcome = ask(&cloud, &event).await?;
        println!("{}", say(&outcome));
        let done = outcome["state"] == "done";
        Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Puts the newest verified backup in the place of what is gone, and says what is lost.
async fn bring_back(options: &Options) -> Ended {
    let cloud = Cloud::start(options).await?;
    let back = cloud.bring_back().await?;
    for BroughtBack { name, taken_at_ms, count } in &back {
        println!("{name:<24} {count:>9} of the backup of {}", Timestamp::from_millis(*taken_at_ms));
    }
    if let Some(oldest) = back.iter().map(|it| it.taken_at_ms).min() {
        println!("What was written after {} is lost.", Timestamp::from_millis(oldest));
    }
    println!("Everyone logs in anew. Run `backup` now: it says whether all is there.");
    Ok(ExitCode::SUCCESS)
}

/// Calls the function until there is nothing to wait for.
async fn ask(cloud: &Cloud, event: &Value) -> Result<Value, Box<dyn Error>> {
    loop {
        let outcome = cloud.invoke("restore-service", event.clone()).await?;
        println!("{}", outcome["next"].as_str().unwrap_or_default());
        if outcome["wait"] == false {
            return Ok(outcome);
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}
