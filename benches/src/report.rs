//! The table: what was measured, as ratios to the hello world of the same run.

use std::fmt::Write as _;
use std::time::Duration;

use crate::{Arguments, Measured};

const HEAD: &str = "# Performance

`cargo run -p benches` builds what it needs, measures, and writes this page. It starts each program behind a Lambda
Runtime API on loopback, with the embedded database of the local cloud for its store, and reads the kernel's
clock of the process when the first answer arrives. Everything is measured in turns within one run: the ratios
mean something elsewhere, the milliseconds and megabytes only say of what order they are. TLS is not in it (the
stores are on loopback), nor is what Lambda itself adds.
";

pub(crate) fn table(measured: &[Measured], arguments: &Arguments) -> String {
    let mut text = String::from(HEAD);
    let hello = &measured[0];
    let (starts, answers) = (arguments.starts, arguments.answers);
    let _ = write!(
        text,
        "\n## Cold starts: from the start of the process to its first answer\n\nMedians of {starts} starts each.\n\n\
         | program | | processor | ratio | wall | ratio | peak memory | ratio | file |\n\
         |---|---|--:|--:|--:|--:|--:|--:|--:|\n"
    );
    for it in measured {
        let (processor, wall, memory) = (it.processor(), it.wall(), it.peak_memory_mib());
        let file = if it.file_bytes == 0 {
            String::new()
        } else {
            format!("{:.1} MB", it.file_bytes as f64 / 1e6)
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.2} | {} | {:.2} | {memory:.1} MiB | {:.2} | {file} |",
            it.name,
            it.what,
            ms(processor),
            ratio(processor, hello.processor()),
            ms(wall),
            ratio(wall, hello.wall()),
            memory / hello.peak_memory_mib(),
        );
    }
    let _ = write!(
        text,
        "\n## Warm answers: from handing the event over to its answer\n\n{answers} answers each, one after the \
         other; log-ins a twentieth as many.\n\n\
         | program | p50 | ratio | p99 | processor per answer |\n|---|--:|--:|--:|--:|\n"
    );
    for it in measured {
        let _ = writeln!(
            text,
            "| {} | {} | {:.2} | {} | {} |",
            it.name,
            ms(percentile(&it.warm, 50)),
            ratio(percentile(&it.warm, 50), percentile(&hello.warm, 50)),
            ms(percentile(&it.warm, 99)),
            ms(percentile(&it.warm_processor, 50)),
        );
    }
    let find = |name: &str| measured.iter().find(|it| it.name == name);
    if let (Some(login), Some(get)) = (find("create_session"), find("get_record")) {
        // The password is hashed on a thread of its own.
        let whole = percentile(&login.warm_processor, 50);
        let hash = whole.saturating_sub(percentile(&login.warm_processor_of_main, 50));
        let _ = write!(
            text,
            "\n## What was promised\n\n\
             | | limit | measured |\n|---|--:|--:|\n\
             | get_record, cold, processor, to hello world | 1.4 | {:.2} |\n\
             | Node.js to get_record, cold, processor | at least 10 | {:.1} |\n\
             | Python to get_record, cold, processor | at least 10 | {:.1} |\n\
             | get_record, peak memory, to hello world | 2 | {:.2} |\n\
             | get_record, file | 7 MB | {:.1} MB |\n\
             | create_session, warm, processor, to its argon2id ({}) | 1.05 | {:.3} |\n",
            ratio(get.processor(), hello.processor()),
            find("Node.js").map_or(0.0, |it| ratio(it.processor(), get.processor())),
            find("Python").map_or(0.0, |it| ratio(it.processor(), get.processor())),
            get.peak_memory_mib() / hello.peak_memory_mib(),
            get.file_bytes as f64 / 1e6,
            ms(hash),
            ratio(whole, hash),
        );
    }
    text
}

impl Measured {
    fn processor(&self) -> Duration {
        percentile(&self.cold.iter().map(|it| it.processor).collect::<Vec<_>>(), 50)
    }

    fn wall(&self) -> Duration {
        percentile(&self.cold.iter().map(|it| it.wall).collect::<Vec<_>>(), 50)
    }

    fn peak_memory_mib(&self) -> f64 {
        let mut peaks: Vec<u64> = self.cold.iter().map(|it| it.peak_memory_kib).collect();
        peaks.sort_unstable();
        peaks.get(peaks.len() / 2).map_or(0.0, |kib| *kib as f64 / 1024.0)
    }
}

/// The value that so many of a hundred are not above.
fn percentile(values: &[Duration], of_100: usize) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().saturating_sub(1);
    sorted.get((sorted.len() * of_100 / 100).min(last)).copied().unwrap_or_default()
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

fn ms(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1e3)
}
