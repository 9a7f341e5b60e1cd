//! The stack as `sam deploy` makes it, without an account: `sam build` builds the binaries, an
//! emulator takes the very template, runs them, and a visitor finds their way. What the emulator
//! cannot take is bridged here; docs/DEPLOY.md has the list.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const STACK: &str = "am-service";
const STARTS_WITHIN: Duration = Duration::from_secs(60);

fn main() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    std::env::set_current_dir(&root).unwrap();
    let work = root.join("target/stack");
    step("installing sam and the emulator into .tools/");
    run(Command::new(".ci/tools").args(["sam", "ministack"]));
    let built = build(&work);
    look_at_build_ids(built.parent().unwrap());
    bridge(&built);
    step("starting the emulator");
    let emulator = Emulator::start(&work);
    step("sam deploy");
    emulator.deploy(&built);
    let api = emulator.make_routes();
    step("walking through the API");
    let executor = tokio::runtime::Runtime::new().unwrap();
    let email = testing::journey::new_address();
    let token = emulator.make_sign_up_token(&email);
    executor.block_on(testing::journey::walk(&api, &email, &token));
    step("firing the event of 18:00");
    emulator.fire_the_evening();
    println!("the deployed stack works: ok");
}

fn step(what: &str) {
    eprintln!("stack: {what}");
}

/// `sam build`, as for a deployment but without link-time optimisation, which takes minutes a binary.
fn build(work: &Path) -> PathBuf {
    run(&mut Command::new("web/build"));
    step("sam build: minutes the first time");
    let built = work.join("build");
    let mut sam = sam();
    sam.args(["build", "--parameter-overrides", "Architecture=x86_64", "--build-dir"]);
    sam.arg(&built);
    sam.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    // This test's own, which a build from a shell has not.
    for (name, _) in std::env::vars() {
        let ours = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "LD_LIBRARY_PATH"];
        if ours.iter().any(|start| name.starts_with(start)) {
            sam.env_remove(name);
        }
    }
    run(&mut sam);
    built.join("template.yaml")
}

/// Each binary is stripped and has an id of its own, by which Sentry finds the symbols that were cut off.
fn look_at_build_ids(build: &Path) {
    let mut ids = std::collections::BTreeSet::new();
    for function in std::fs::read_dir(build).unwrap() {
        let binary = function.unwrap().path().join("bootstrap");
        if !binary.exists() {
            continue;
        }
        let read = Command::new("readelf").args(["--notes", "--sections"]).arg(&binary).output();
        let read = String::from_utf8(read.unwrap().stdout).unwrap();
        assert!(!read.contains(".symtab"), "{} has symbols", binary.display());
        let id = read.split("Build ID: ").nth(1).and_then(|rest| rest.split_whitespace().next());
        let id = id.unwrap_or_else(|| panic!("{} has no build id", binary.display()));
        assert!(id.len() == 40 && ids.insert(id.to_owned()), "{}: {id}", binary.display());
    }
    assert!(ids.len() > 20, "{ids:?}");
}

/// Takes out of the built templates what the emulator refuses a whole stack for.
fn bridge(built: &Path) {
    let mut python = Command::new(".tools/sam/bin/python3");
    run(python.arg("tests/stack/bridge.py").arg(built.parent().unwrap()));
}

fn sam() -> Command {
    let bin = Path::new(".tools/sam/bin").canonicalize().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all =
        std::env::join_paths(std::iter::once(bin.clone()).chain(std::env::split_paths(&path)));
    let mut sam = Command::new(bin.join("sam"));
    sam.env("PATH", all.unwrap()).env("SAM_CLI_TELEMETRY", "0");
    sam.env("AWS_DEFAULT_REGION", "eu-central-1");
    sam
}

/// The emulator, until it is dropped.
struct Emulator {
    process: Child,
    endpoint: String,
}

impl Emulator {
    fn start(work: &Path) -> Self {
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let home = work.join("emulator");
        let _ = std::fs::remove_dir_all(&home);
        std::fs::create_dir_all(home.join("tmp")).unwrap();
        let log = std::fs::File::create(home.join("log")).unwrap();
        // It hands its environment on to the functions: theirs is what Lambda would set, and where
        // the stores are.
        let process =
            Command::new(Path::new(".tools/ministack/bin/ministack").canonicalize().unwrap())
                .current_dir(&home)
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap_or_default())
                .env("HOME", &home)
                .env("TMPDIR", home.join("tmp"))
                .env("BIND_HOST", "127.0.0.1")
                .env("GATEWAY_PORT", port.to_string())
                .env("MINISTACK_REGION", "eu-central-1")
                .env("SFTP_ENABLED", "0")
                .envs([("PERSIST_STATE", "0"), ("S3_PERSIST", "0")])
                .envs(
                    ["", "_DYNAMODB", "_S3"].map(|of| (format!("AWS_ENDPOINT_URL{of}"), &endpoint)),
                )
                .stdout(log.try_clone().unwrap())
                .stderr(log)
                .spawn()
                .unwrap();
        let emulator = Self { process, endpoint };
        let started = Instant::now();
        while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(started.elapsed() < STARTS_WITHIN, "the emulator starts; see {home:?}/log");
            std::thread::sleep(Duration::from_millis(50));
        }
        emulator
    }

    /// As README.md says, but without anyone to ask.
    fn deploy(&self, template: &Path) {
        let mut sam = sam();
        sam.args(["deploy", "--no-confirm-changeset", "--stack-name", STACK, "--template-file"]);
        sam.arg(template)
            .arg("--config-file")
            .arg(Path::new("samconfig.toml").canonicalize().unwrap());
        sam.args(["--parameter-overrides", "Architecture=x86_64"]);
        sam.arg("AlarmEmail=operator@example.com");
        run(self.account(&mut sam));
    }

    /// The URL of the API, with the routes that the emulator did not make.
    fn make_routes(&self) -> String {
        let mut python = Command::new(".tools/ministack/bin/python3");
        python.args(["tests/stack/routes.py", &self.endpoint, STACK]);
        run(self.account(&mut python)).trim().to_owned()
    }

    /// As an operator does where no mail is sent.
    fn make_sign_up_token(&self, email: &str) -> String {
        let mut python = Command::new(".tools/ministack/bin/python3");
        python.args(["tests/stack/invoke.py", &self.endpoint, STACK, "MakeSignUpToken"]);
        python.arg(serde_json::json!({ "email": email }).to_string());
        let answer: serde_json::Value =
            serde_json::from_str(run(self.account(&mut python)).trim()).unwrap();
        answer["token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// The schedule is the template's, and its function opens a backup run.
    fn fire_the_evening(&self) {
        let mut python = Command::new(".tools/ministack/bin/python3");
        python.args(["tests/stack/fire.py", &self.endpoint, "2026-01-15T17:00:00Z"]);
        let said = run(self.account(&mut python));
        let (schedule, answer) = said.trim().split_once('\n').unwrap();
        assert_eq!(schedule, "cron(0 18 * * ? *)");
        let opened: serde_json::Value = serde_json::from_str(answer).unwrap();
        assert_eq!(opened["opened"], true, "{opened}");
        assert_eq!(opened["manifest"], "manifests/2026-01-15T17:00:00.000Z.json", "{opened}");
    }

    fn account<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_DEFAULT_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Asked, it ends its functions' processes too; killed, it would leave them.
        let asked = Command::new("kill").arg(self.process.id().to_string()).status();
        if asked.is_ok_and(|status| status.success()) {
            let _ = self.process.wait();
        }
    }
}

/// What a command says, or a panic with all of it.
fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{said}\n{errors}");
    said
}
