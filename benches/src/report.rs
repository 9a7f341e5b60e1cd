//! The table: what was measured, as ratios to the hello world of the same run.

use std::fmt::Write as _;
use std::time::Duration;

use crate::{Arguments, Measured};

const HEAD: &str = "# Performance

`cargo run -p benches` builds what it needs, measures, and writes this page. It starts each program behind a Lambda
Runtime API on loopback, with the embedded database of the local cloud for its store, and reads the kernel's
clock of the process when the first answer arrives. Everything is measured within one run, starts in turns, warm answers
one program after another: the ratios mean something elsewhere, the milliseconds and megabytes only say of what order
they are. TLS is not in it (the stores are on loopback), nor is what Lambda itself adds.
`--before FILE` holds get_record against that of an earlier commit, in turns, and writes nothing.
";

pub(crate) fn table(measured: &[Measured], arguments: &Arguments) -> String {
    [HEAD.to_owned(), cold(measured, arguments), warm(measured, arguments), promises(measured)]
        .concat()
}

fn cold(measured: &[Measured], arguments: &Arguments) -> String {
    let hello = &measured[0];
    let mut text = format!(
        "\n## Cold starts: from the start of the process to its first answer\n\nMedians of {} starts each.\n\n\
         | program | | processor | ratio | wall | ratio | peak memory | ratio | file |\n\
         |---|---|--:|--:|--:|--:|--:|--:|--:|\n",
        arguments.starts
    );
    for it in measured {
        let (processor, wall, memory) = (it.processor(), it.wall(), it.peak_memory_mib());
        let mb = format!("{:.1} MB", it.file_bytes as f64 / 1e6);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.2} | {} | {:.2} | {memory:.1} MiB | {:.2} | {} |",
            it.name,
            it.what,
            ms(processor),
            ratio(processor, hello.processor()),
            ms(wall),
            ratio(wall, hello.wall()),
            memory / hello.peak_memory_mib(),
            if it.file_bytes == 0 { "" } else { &mb },
        );
    }
    text
}

fn warm(measured: &[Measured], arguments: &Arguments) -> String {
    let hello = &measured[0];
    let mut text = format!(
        "\n## Warm answers: from handing the event over to its answer\n\n{} answers each, one after the \
         other; log-ins a twentieth as many.\n\n\
         | program | p50 | ratio | p99 | processor per answer |\n|---|--:|--:|--:|--:|\n",
        arguments.answers
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
    text
}

fn promises(measured: &[Measured]) -> String {
    let [hello, get, silent, _, login, node, python] = measured else { return String::new() };
    let hash = percentile(&login.warm_processor_beside, 50);
    let shares = login.warm_processor.iter().zip(&login.warm_processor_beside);
    let mut shares: Vec<f64> = shares.map(|(whole, hash)| ratio(*whole, *hash)).collect();
    shares.sort_by(f64::total_cmp);
    format!(
        "\n## What was promised\n\n\
         | | limit | measured |\n|---|--:|--:|\n\
         | get_record, cold, processor, to hello world | 1.4 | {:.2} |\n\
         | get_record, cold, processor, Sentry on to off | | {:.2} |\n\
         | Node.js to get_record, cold, processor | at least 10 | {:.1} |\n\
         | Python to get_record, cold, processor | at least 10 | {:.1} |\n\
         | get_record, peak memory, to hello world | 2 | {:.2} |\n\
         | get_record, file | 7 MB | {:.1} MB |\n\
         | create_session, warm, processor, to the part of it that is argon2id ({}) | 1.05 | {:.2} |\n\n\
         The part that is argon2id is what the thread took that the password is hashed on, in the same log-in: \
         a hash\nalone in a loop has warmer caches. The rest is the event, JSON, and three\nrequests \
         to the store, which cost more after a pause than one after the other: docs/decisions/0010 has what was\n\
         tried, and why the limit is missed where it is.\n",
        ratio(get.processor(), hello.processor()),
        ratio(get.processor(), silent.processor()),
        ratio(node.processor(), get.processor()),
        ratio(python.processor(), get.processor()),
        get.peak_memory_mib() / hello.peak_memory_mib(),
        get.file_bytes as f64 / 1e6,
        ms(hash),
        shares.get(shares.len() / 2).copied().unwrap_or_default(),
    )
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
