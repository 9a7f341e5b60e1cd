//! The commands of the local cloud, as somebody types them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broken;
#[cfg(target_os = "linux")]
mod full;
mod kills;
mod secrets;
mod serving;
// The tool is built for this machine alone.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod clock;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn local(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_local"))
        .current_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .args(["--log-level", "off", "--data"])
        .arg(folder)
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The last whole second, in UTC, once it is over.
fn second() -> String {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let second = now().as_secs() + 1;
    while now().as_secs() <= second {
        std::thread::sleep(Duration::from_millis(20));
    }
    jiff::Timestamp::from_second(i64::try_from(second).unwrap()).unwrap().to_string()
}

#[test]
fn an_evening_and_a_restore_are_one_command_each() {
    let folder = tempfile::tempdir().unwrap();
    let backup = local(folder.path(), &["backup"]);
    let (out, err) = said(&backup);
    assert!(backup.status.success(), "{out}\n{err}");
    assert_eq!(out.matches("SUCCESSFUL").count(), 7, "{out}");
    assert!(out.contains("verified backup each evening is kept."), "{out}");
    assert!(out.contains("everything from before") && !out.contains("null"), "{out}");
    let (out, _) = said(&local(folder.path(), &["backup", "--json"]));
    assert!(out.contains("\"state\": \"kept\""), "{out}");

    let to = second();
    let plan = ["restore", "--to", &to, "--reason", "drill"];
    let planned = local(folder.path(), &plan);
    assert!(
        planned.status.success() && said(&planned).0.contains("(drill): not begun"),
        "{planned:?}"
    );
    let restored = local(folder.path(), &[&plan[..], &["--execute"]].concat());
    let (out, err) = said(&restored);
    assert!(restored.status.success(), "{out}\n{err}");
    assert!(out.contains("switched to the tables that end in 20") && out.contains("(drill): done"));
    // From then on, the restored tables are used and backed up.
    let backup = local(folder.path(), &["backup"]);
    assert!(backup.status.success(), "{backup:?}");
    assert!(said(&backup).0.contains("RecordsTable-20"), "{backup:?}");
}

#[test]
fn what_cannot_be_done_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, what) in [
        (&["restore", "--to", "2020-01-01T00:00:00Z", "--reason", "drill"][..], "must be from"),
        (&["restore", "--to", "now", "--reason", "drill"], "does not fit"),
        (
            &["restore", "--to", "2020-01-01T00:00:00Z", "--reason", "customer_erased"],
            "the policy promises it",
        ),
        (&["restore", "--reason", "drill"], "--to <TO>"),
    ] {
        let refused = local(folder.path(), arguments);
        let (out, err) = said(&refused);
        assert!(!refused.status.success(), "{arguments:?}: {out}");
        assert!(err.contains(what), "{arguments:?}: {err}");
    }
}

#[test]
fn what_is_done_when_is_told_the_next_first() {
    let folder = tempfile::tempdir().unwrap();
    let (out, err) = said(&local(folder.path(), &["schedule"]));
    for what in
        ["audit-backups", "open-backup-run", "a backup of everything (daily)", "a restore of"]
    {
        assert!(out.contains(what), "{out}\n{err}");
    }
    assert!(out.contains(" 18:00 Europe/Stockholm   in "), "{out}");
    let elsewhere = ["schedule", "--parameter-overrides", "BackupTimeZone=America/New_York"];
    let (out, _) = said(&local(folder.path(), &elsewhere));
    assert!(out.contains(" 18:00 America/New_York   in "), "{out}");
}
