//! What is measured: builds it, sets the stage it plays on, and knows a right answer from a wrong one.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use benches::file_bytes;
use bytes::Bytes;
use local::{Cloud, Options};
use serde_json::{Value, json};

use crate::sandbox::Program;

/// More than the page of a list has.
const RECORDS: usize = 50;
const PASSWORD: &str = "two lathes and a mill";
/// Nothing listens there; nothing is sent either, as long as nothing fails.
const SENTRY_DSN: &str = "http://public@127.0.0.1:9/42";

/// A running cloud, and everything that is measured in front of it.
pub(crate) struct Stage {
    pub(crate) contenders: Vec<Contender>,
    _cloud: Cloud,
    _folder: tempfile::TempDir,
}

/// One program that takes one kind of event.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) program: Program,
    /// Takes tens of milliseconds on purpose.
    pub(crate) slow: bool,
    pub(crate) file_bytes: u64,
    event: Value,
    status: u64,
}

impl Contender {
    /// The event, with an Idempotency-Key and a sender of its own, sent now.
    pub(crate) fn event(&self, n: u32) -> Bytes {
        let mut event = self.event.clone();
        event["requestContext"]["timeEpoch"] = json!(runtime::now().millis());
        event["headers"]["idempotency-key"] = json!(format!("{}-{n}", self.name.replace(' ', "-")));
        // Another network each, or the guard of log-ins would step in.
        let [_, a, b, c] = n.to_be_bytes();
        event["requestContext"]["http"]["sourceIp"] = json!(format!("10.{a}.{b}.{c}"));
        Bytes::from(event.to_string())
    }

    pub(crate) fn check(&self, answer: &Value) -> Result<(), Box<dyn Error>> {
        if answer["statusCode"] == self.status {
            return Ok(());
        }
        Err(format!("{} answered {answer}", self.name).into())
    }
}

pub(crate) async fn stage(
    binaries: Option<&Path>,
    before: Option<&Path>,
) -> Result<Stage, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let built = root.join("target/release");
    build(&root, &["-p", "benches", "--bin", "hello"])?;
    if binaries.is_none() {
        let functions = ["get-record", "list-records", "create-session"];
        let functions = if before.is_some() { &functions[..1] } else { &functions[..] };
        let bins = functions.iter().flat_map(|name| ["--bin", name]);
        build(&root, &["--features", "bins"].into_iter().chain(bins).collect::<Vec<_>>())?;
    }
    let folder = tempfile::tempdir()?;
    let options = Options::new(&root, folder.path()).with("SentryDsn", SENTRY_DSN);
    let cloud = Cloud::start(&options).await?;
    let filled = fill(&cloud).await?;
    let programs = Programs { cloud: &cloud, built: &built, binaries: binaries.unwrap_or(&built) };
    let contenders = match before {
        Some(before) => programs.of_two_commits(&root, &filled, before)?,
        None => programs.contenders(&root, &filled, node(&root)?, python(&root)?)?,
    };
    Ok(Stage { contenders, _cloud: cloud, _folder: folder })
}

/// What there is to run, and the environment that Lambda would give it.
struct Programs<'a> {
    cloud: &'a Cloud,
    built: &'a Path,
    binaries: &'a Path,
}

impl Programs<'_> {
    fn contenders(
        &self,
        root: &Path,
        filled: &Filled,
        node: (PathBuf, PathBuf),
        python: (PathBuf, PathBuf),
    ) -> Result<Vec<Contender>, Box<dyn Error>> {
        let get_record = filled.event(root, "records/get/ok.json")?;
        let list_records = filled.event(root, "records/list/ok.json")?;
        let log_in = filled.event(root, "accounts/create_session/ok.json")?;
        let mut without_sentry = self.ours("get-record");
        without_sentry.environment.remove("SENTRY_DSN");
        let contender = |name, what, program: Program, event: &Value, status| Contender {
            name,
            what,
            slow: name == "create_session",
            file_bytes: file_bytes(&program.path),
            program,
            event: event.clone(),
            status,
        };
        // A runtime's own size is Lambda's to carry; a script is all there is of the others.
        let rival = |name, what, (runtime, script): (PathBuf, PathBuf)| {
            let file_bytes = file_bytes(&script);
            let program = self.rival(runtime, &script, filled);
            Contender { file_bytes, ..contender(name, what, program, &get_record, 200) }
        };
        Ok(vec![
            contender(
                "hello world",
                "lambda_http, answers at once",
                self.hello(),
                &get_record,
                200,
            ),
            contender(
                "get_record",
                "session and record, Sentry on",
                self.ours("get-record"),
                &get_record,
                200,
            ),
            contender("get_record, no Sentry", "without a DSN", without_sentry, &get_record, 200),
            contender(
                "list_records",
                "session and a page of 25",
                self.ours("list-records"),
                &list_records,
                200,
            ),
            contender("create_session", "a log-in", self.ours("create-session"), &log_in, 201),
            rival("Node.js", "AWS SDK v3, bundled; one GetItem", node),
            rival("Python", "boto3; one GetItem", python),
        ])
    }

    /// Today's get_record and an earlier one, beside the hello world.
    fn of_two_commits(
        &self,
        root: &Path,
        filled: &Filled,
        before: &Path,
    ) -> Result<Vec<Contender>, Box<dyn Error>> {
        let event = filled.event(root, "records/get/ok.json")?;
        let before = Program { path: before.to_owned(), ..self.ours("get-record") };
        let contender = |name, what, program: Program| Contender {
            name,
            what,
            slow: false,
            file_bytes: file_bytes(&program.path),
            program,
            event: event.clone(),
            status: 200,
        };
        Ok(vec![
            contender("hello world", "lambda_http, answers at once", self.hello()),
            contender("get_record, before", "of the earlier commit", before),
            contender("get_record", "of this one", self.ours("get-record")),
        ])
    }

    fn environment(&self, binary: &str) -> BTreeMap<String, String> {
        let function = self.cloud.functions().iter().find(|it| it.binary == binary);
        function.map(|it| it.environment.clone()).unwrap_or_default()
    }

    fn ours(&self, binary: &str) -> Program {
        let environment = self.environment(binary);
        Program { path: self.binaries.join(binary), arguments: Vec::new(), environment }
    }

    fn hello(&self) -> Program {
        let environment = self.environment("get-record");
        Program { path: self.built.join("hello"), arguments: Vec::new(), environment }
    }

    /// Reads the same item, by an operator's right to it.
    fn rival(&self, runtime: PathBuf, script: &Path, filled: &Filled) -> Program {
        let mut environment = self.environment("get-record");
        environment.extend(self.cloud.operator_environment().clone());
        environment.insert("PARTITION".to_owned(), filled.customer.clone());
        environment.insert("SORT".to_owned(), format!("RECORD#{}", filled.record));
        let arguments = vec![script.to_string_lossy().into_owned()];
        Program { path: runtime, arguments, environment }
    }
}

/// A customer with records, and a session of its owner.
struct Filled {
    token: String,
    customer: String,
    record: String,
}

impl Filled {
    /// An event of events/, of this customer.
    fn event(&self, root: &Path, name: &str) -> Result<Value, Box<dyn Error>> {
        let text = std::fs::read_to_string(root.join("events").join(name))?;
        let mut event: Value = serde_json::from_str(&text)?;
        event["headers"]["authorization"] = json!(format!("Bearer {}", self.token));
        if event["pathParameters"]["record_id"].is_string() {
            event["pathParameters"]["record_id"] = json!(self.record);
        }
        if name.starts_with("accounts/create_session") {
            event["body"] = json!(log_in().to_string());
        }
        Ok(event)
    }
}

fn log_in() -> Value {
    json!({"email": "eva@example.com", "password": PASSWORD})
}

/// Signs up, logs in, and keeps some records.
async fn fill(cloud: &Cloud) -> Result<Filled, Box<dyn Error>> {
    let made = cloud.invoke("make-sign-up-token", json!({"email": "eva@example.com"})).await?;
    let http = reqwest::Client::new();
    let post = async |path: &str, key: String, token: &str, body: &Value| {
        let url = format!("http://{}{path}", cloud.address());
        let request = http.post(url).bearer_auth(token).header("idempotency-key", key);
        let answer = request.json(body).send().await?.error_for_status()?;
        answer.json::<Value>().await
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let person = json!({
        "token": made["token"], "company": "Verkstad AB", "name": "Eva Ek", "password": PASSWORD,
    });
    let signed_up = post("/v1/customers", "sign-up".to_owned(), "", &person).await?;
    let session = post("/v1/sessions", "log-in".to_owned(), "", &log_in()).await?;
    let (token, customer) = (text(&session["token"]), text(&signed_up["customer"]["id"]));
    let mut record = String::new();
    for n in 0..RECORDS {
        let fields = json!({"bar": 4.5, "seal": "worn"});
        let body = json!({"type": "checkup", "title": format!("Pump {n}"), "fields": fields});
        record = text(&post("/v1/records", format!("record-{n}"), &token, &body).await?["id"]);
    }
    Ok(Filled { token, customer, record })
}

fn build(root: &Path, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    // Functions of a release have the client in them.
    ran(&mut Command::new(root.join("web/build")))?;
    eprintln!("cargo build --release {}", arguments.join(" "));
    ran(Command::new("cargo").current_dir(root).args(["build", "--release"]).args(arguments))
}

/// Node.js, and the function bundled into one file, which starts faster than its parts.
fn node(root: &Path) -> Result<(PathBuf, PathBuf), Box<dyn Error>> {
    let source = root.join("benches/rivals/node");
    let tools = root.join(".tools/benches/node");
    let bundle = tools.join("bundle.mjs");
    std::fs::create_dir_all(&tools)?;
    for file in ["package.json", "index.mjs"] {
        std::fs::copy(source.join(file), tools.join(file))?;
    }
    ran(Command::new("npm").current_dir(&tools).args([
        "install",
        "--no-audit",
        "--no-fund",
        "--silent",
    ]))?;
    let banner = "--banner:js=import { createRequire } from 'module'; const require = createRequire(import.meta.url);";
    ran(Command::new(tools.join("node_modules/.bin/esbuild")).current_dir(&tools).args([
        "index.mjs",
        "--bundle",
        "--minify",
        "--platform=node",
        "--format=esm",
        "--outfile=bundle.mjs",
        "--log-level=warning",
        banner,
    ]))?;
    Ok((on_path("node")?, bundle))
}

fn python(root: &Path) -> Result<(PathBuf, PathBuf), Box<dyn Error>> {
    let source = root.join("benches/rivals/python");
    let tools = root.join(".tools/benches/python");
    ran(Command::new("python3").args(["-m", "venv"]).arg(&tools))?;
    let pip = ["install", "--quiet", "--disable-pip-version-check", "-r"];
    ran(Command::new(tools.join("bin/pip")).args(pip).arg(source.join("requirements.txt")))?;
    Ok((tools.join("bin/python3"), source.join("function.py")))
}

fn on_path(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|it| it.is_file());
    found.ok_or_else(|| format!("{name} is not installed").into())
}

fn ran(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed: {status}").into()) }
}
