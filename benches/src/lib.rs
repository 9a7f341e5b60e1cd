//! What the programs here share: reading what the kernel knows of a process. Linux only.

pub mod objects;
pub mod records;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};
use serde_json::{Value, json};

pub type Failed = Box<dyn Error + Send + Sync>;

/// The processor time that the threads of a process have taken until now, to the nanosecond.
pub fn processor_time(process: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let nanos = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// The same of all processes that this one has started, and that have ended.
fn processor_time_of_children() -> Result<Duration, Failed> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = |time: TimeVal| u64::try_from(time.num_microseconds()).unwrap_or(0);
    Ok(Duration::from_micros(micros(usage.user_time()) + micros(usage.system_time())))
}

/// What a program says that it has measured, and the processor time that it took.
pub async fn measured(mut program: tokio::process::Command) -> Result<Value, Failed> {
    let before = processor_time_of_children()?;
    let output = program.output().await?;
    let processor = processor_time_of_children()?.saturating_sub(before);
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let mut measured: Value = serde_json::from_slice(&output.stdout)?;
    measured["processor"] = json!(processor.as_secs_f64());
    Ok(measured)
}

/// The part of it that the first thread has taken. In our functions that is all but hashing.
pub fn processor_time_of_main(process: u32) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{process}/schedstat")).unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// The most memory that a process has held until now, in KiB.
pub fn peak_memory_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}

/// The size of a file, in bytes.
pub fn file_bytes(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |it| it.len())
}
