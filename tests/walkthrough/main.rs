//! The walk through the service in README.md, run as it is printed: pasted into a shell, against
//! the program that README.md says to start.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The one shell block of README.md.
fn walkthrough() -> String {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let block = readme.split("```sh\n").nth(1).expect("README.md has a walk-through");
    block.split("\n```").next().unwrap().to_owned()
}

#[test]
fn the_walk_through_of_the_readme_works_as_printed() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_local"))
        .args(["--address", "127.0.0.1:0", "--objects-address", "127.0.0.1:0"])
        .arg("--data")
        .arg(folder.path().join("data"))
        .arg("--template")
        .arg(repository().join("template.yaml"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let first = lines.next().expect("it says where it is").unwrap();
    let base = first.strip_prefix("AM Service is at ").unwrap().to_owned();
    std::thread::spawn(move || lines.for_each(drop));

    // The port and the folder are not as printed: both may be taken here.
    let printed = "API=http://127.0.0.1:3000 DATA=data";
    let script = walkthrough();
    assert!(script.starts_with(printed), "the first line says where the service is");
    let script =
        script.replacen(printed, &format!("API={base} DATA={}/data", folder.path().display()), 1);
    let ran = Command::new("bash").args(["-e", "-u", "-c", &script]).output().unwrap();
    program.kill().unwrap();
    program.wait().unwrap();

    let said = String::from_utf8_lossy(&ran.stdout);
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}\n{errors}");
    let mut rest = said.as_ref();
    for expected in [
        "\"role\":\"owner\"",
        "\"type\":\"welding_line\"",
        "record 01",
        "a photo of the crack\n",
        "a sharper photo of the crack\n",
        "\"version\":2",
        "\"code\":\"stale_version\"",
        "\"current_version\":2",
        "\n412\n",
        "\"role\":\"member\"",
        "changed by Ida Ek\n",
        "\"state\":\"done\",\"open\":false",
        // By words, by the machine, and by type and state.
        "\nDEV-1 Crack in a weld, line 7: welded anew - done\n",
        "DEV-1 Crack in a weld, line 7: welded anew - done\n",
        "DEV-1 Crack in a weld, line 7: welded anew - done\n",
    ] {
        let found = rest.find(expected);
        let at = found.unwrap_or_else(|| panic!("no {expected:?} in\n{said}\n{errors}"));
        rest = &rest[at + expected.len()..];
    }
}
