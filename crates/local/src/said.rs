//! Answers of functions, in words.

use serde_json::Value;

/// So many keys are shown; with `--json`, there are more.
const SHOWN: usize = 10;

/// Row 5 of the policy: whether a verified backup is there.
pub fn evidence(row: &Value) -> String {
    let it = &row["evidence"];
    let mut text = format!(
        "The policy's promise of a verified backup each evening is {}.",
        word(&row["state"])
    );
    if it["run"].is_string() {
        text += &format!(
            "\n  verified     the backup of {}, at {}\n  in it        everything from before {}\n  its sum      {}",
            word(&it["run"]),
            word(&it["verified_at"]),
            word(&it["cut"]),
            word(&it["digest"]),
        );
    }
    text
}

/// What somebody has acknowledged.
pub fn acknowledgement(outcome: &Value) -> String {
    let run = word(&outcome["run"]);
    if outcome["acknowledged"] == false {
        return format!("The run of {run} was acknowledged before; nothing has changed.");
    }
    if outcome["reason"] == "clock" {
        return format!(
            "Nothing is held against the run of {run} any more, nor against others of that clock: the time is \
             this machine's from now on."
        );
    }
    format!("The chain goes on from the run of {run}, with the next evening.")
}

/// How far a restore has come, and what comes next.
pub fn restore(outcome: &Value) -> String {
    let it = &outcome["restore"];
    let state = outcome["state"].as_str().unwrap_or("not begun");
    let mut lines = vec![
        format!("Restore of the service to {} ({}): {state}", word(&it["to"]), word(&it["reason"])),
        line("possible", &format!("from {} to {}", word(&it["window"][0]), word(&it["window"][1]))),
    ];
    for (what, table) in it["tables"].as_object().into_iter().flatten() {
        lines.push(line(&format!("new {what}"), table.as_str().unwrap_or_default()));
    }
    for (name, what) in [
        ("mended", "changes that the second had cut in two were completed"),
        ("erased_again", "things that customers have erased were erased again"),
        ("set_aside", "objects that came later were set aside"),
    ] {
        if let Some(count) = it[name].as_u64().filter(|count| *count > 0) {
            lines.push(line(&count.to_string(), what));
        }
    }
    if let Some(count) = it["dangling"]["count"].as_u64().filter(|count| *count > 0) {
        lines.push(line(&count.to_string(), "appendix versions have no bytes, or others:"));
        lines.extend(shown(it["dangling"]["named"].as_array(), word));
    }
    if it["findings"]["counts"].as_object().is_some_and(|counts| !counts.is_empty()) {
        lines.push(line("found", &it["findings"]["counts"].to_string()));
        lines.extend(shown(it["findings"]["listed"].as_array(), |found| {
            format!("{} {}: {}", word(&found["cause"]), word(&found["key"]), word(&found["what"]))
        }));
    }
    lines.push(line("next", &word(&outcome["next"])));
    lines.join("\n")
}

fn shown(all: Option<&Vec<Value>>, of: impl Fn(&Value) -> String) -> Vec<String> {
    let all = all.map_or(&[][..], Vec::as_slice);
    let mut lines: Vec<String> = all.iter().take(SHOWN).map(|it| line("", &of(it))).collect();
    if all.len() > SHOWN {
        lines.push(line("", &format!("and {} more: --json has them", all.len() - SHOWN)));
    }
    lines
}

fn line(name: &str, what: &str) -> String {
    format!("  {name:<12} {what}")
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
