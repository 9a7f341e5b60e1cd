//! The machine's clock jumps, really: the program runs under libfaketime, in service and at the evening.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::serving::{self, Serving, sign_up};

/// Where the clock is, beside the true time; and whether it has been later before.
const JUMPS: [(&str, bool); 7] = [
    ("+0", false),
    ("-2h", true),
    ("+10m", false),
    ("+40d", false),
    ("+1d", true),
    ("-400d", true),
    ("+41d", false),
];

fn program(folder: &Path, jump: &str) -> Command {
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tools = repository.join(".tools/faketime/lib");
    let python = std::fs::read_dir(tools).unwrap().next().unwrap().unwrap().path();
    let library = "site-packages/libfaketime/vendor/libfaketime/src/libfaketime.so.1";
    let library = python.join(library);
    assert!(library.exists(), "{}", library.display());
    let mut program = serving::program(folder);
    program
        .args(["--log-level", "off"])
        .env("LD_PRELOAD", library)
        .env("DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME", jump);
    program
}

/// Serves for as long as it takes to sign a company up.
async fn serve(folder: &Path, jump: &str) {
    let serving = Serving::start(program(folder, jump));
    sign_up(&serving, &format!("eva{jump}@example.com")).await;
}

#[tokio::test]
async fn a_clock_that_jumps_rings_and_neither_hides_nor_breaks_anything() {
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let installed = Command::new(".ci/tools").arg("faketime").current_dir(repository).status();
    assert!(installed.unwrap().success());
    let folder = tempfile::tempdir().unwrap();
    let mut run = String::new();
    for (number, (jump, rings)) in (1..).zip(JUMPS) {
        serve(folder.path(), jump).await;
        let evening = program(folder.path(), jump).arg("backup").output().unwrap();
        let out = String::from_utf8_lossy(&evening.stdout);
        assert!(evening.status.success(), "{jump}: {out}");
        // A company and its owner each time: all of them are from before this evening.
        let revisions = format!("manifest   {} revisions before", 2 * number);
        assert!(out.contains(&revisions), "{jump}: {out}");
        assert!(out.contains("chain      holds since"), "{jump}: {out}");
        assert_eq!(out.contains("clock      "), rings, "{jump}: {out}");
        assert_eq!(out.matches("SUCCESSFUL").count(), 7, "{jump}: {out}");
        let cut = out.split("revisions before ").nth(1).unwrap().split(',').next().unwrap();
        cut.clone_into(&mut run);
    }
    // The clock is right again, and somebody says so.
    let note = ["acknowledge", "--run", &run, "--note", "The clock was ahead"];
    let said = program(folder.path(), "+0").args(note).output().unwrap();
    assert!(
        String::from_utf8_lossy(&said.stdout).contains("the time is this machine's"),
        "{said:?}"
    );
    let evening = program(folder.path(), "+0").arg("backup").output().unwrap();
    let out = String::from_utf8_lossy(&evening.stdout);
    assert!(evening.status.success() && out.contains("chain      holds since"), "{out}");
    assert!(!out.contains("clock      "), "{out}");
}
