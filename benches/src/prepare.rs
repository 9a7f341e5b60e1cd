//! What is measured: builds it, sets the stage it plays on, and knows a right answer from a wrong one.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use benches::file_bytes;
use bytes::Bytes;
use local::{Cloud, Options};
use serde_json::{Value, json};

use crate::sandbox::Program;

/// As many records as a page of a list has.
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

pub(crate) async fn stage(binaries: Option<&Path>) -> Result<Stage, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let built = root.join("target/release");
    build(&root, &["-p", "benches", "--bin", "hello"])?;
    let functions = ["get-record", "list-records", "create-session"];
    if binaries.is_none() {
        let bins = functions.iter().flat_map(|name| ["--bin", name]);
        build(&root, &["--features", "bins"].into_iter().chain(bins).collect::<Vec<_>>())?;
    }
    let binaries = binaries.unwrap_or(&built);
    let (node, node_bundle) = node(&root)?;
    let (python, python_function) = python(&root)?;

    let folder = tempfile::tempdir()?;
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let cloud = Cloud::start(&Options {
        template: root.join("template.yaml"),
        parameters: BTreeMap::from([("SentryDsn".to_owned(), SENTRY_DSN.to_owned())]),
        data: folder.path().to_owned(),
        address: any,
        objects_address: any,
        binaries: None,
    })
    .await?;
    let (token, record) = fill(&cloud).await?;

    let environment = |binary: &str| {
        let function = cloud.functions().iter().find(|it| it.binary == binary);
        function.map(|it| it.environment.clone()).unwrap_or_default()
    };
    let ours = |binary: &str| Program {
        path: binaries.join(binary),
        arguments: Vec::new(),
        environment: environment(binary),
    };
    let event = |name: &str| -> Result<Value, Box<dyn Error>> {
        let text = std::fs::read_to_string(root.join("events").join(name))?;
        let mut event: Value = serde_json::from_str(&text)?;
        event["headers"]["authorization"] = json!(format!("Bearer {token}"));
        Ok(event)
    };
    let mut get_record = event("get_record/ok.json")?;
    get_record["pathParameters"]["record_id"] = json!(record);
    let mut create_session = event("create_session/ok.json")?;
    create_session["body"] = json!(log_in().to_string());

    // The same item, by the same right to read it.
    let mut theirs = environment("get-record");
    theirs.extend(cloud.operator_environment().clone());
    let customer = customer_of(&cloud, &token).await?;
    theirs.insert("PARTITION".to_owned(), customer);
    theirs.insert("SORT".to_owned(), format!("RECORD#{record}"));
    let rival = |path: PathBuf, script: &Path| Program {
        path,
        arguments: vec![script.to_string_lossy().into_owned()],
        environment: theirs.clone(),
    };
    let mut without_sentry = ours("get-record");
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
    let hello = Program {
        path: built.join("hello"),
        arguments: Vec::new(),
        environment: environment("get-record"),
    };
    let mut contenders = vec![
        contender("hello world", "lambda_http, answers at once", hello, &get_record, 200),
        contender(
            "get_record",
            "session and record, Sentry on",
            ours("get-record"),
            &get_record,
            200,
        ),
        contender("get_record, no Sentry", "without a DSN", without_sentry, &get_record, 200),
        contender(
            "list_records",
            "session and a page of 50",
            ours("list-records"),
            &event("list_records/ok.json")?,
            200,
        ),
        contender("create_session", "a log-in", ours("create-session"), &create_session, 201),
        contender(
            "Node.js",
            "AWS SDK v3, bundled; one GetItem",
            rival(node, &node_bundle),
            &get_record,
            200,
        ),
        contender(
            "Python",
            "boto3; one GetItem",
            rival(python, &python_function),
            &get_record,
            200,
        ),
    ];
    // A runtime's own size is Lambda's to carry.
    contenders[5].file_bytes = file_bytes(&node_bundle);
    contenders[6].file_bytes = 0;
    Ok(Stage { contenders, _cloud: cloud, _folder: folder })
}

fn log_in() -> Value {
    json!({"email": "eva@example.com", "password": PASSWORD})
}

/// Signs up, logs in, and keeps some records; the token and the id of a record.
async fn fill(cloud: &Cloud) -> Result<(String, String), Box<dyn Error>> {
    let http = reqwest::Client::new();
    let post = async |path: &str, key: String, token: &str, body: &Value| {
        let url = format!("http://{}{path}", cloud.address());
        let request = http.post(url).bearer_auth(token).header("idempotency-key", key);
        let answer = request.json(body).send().await?.error_for_status()?;
        answer.json::<Value>().await
    };
    let mut person = log_in();
    person["company"] = json!("Verkstad AB");
    person["name"] = json!("Eva Ek");
    post("/v1/customers", "sign-up".to_owned(), "", &person).await?;
    let session = post("/v1/sessions", "log-in".to_owned(), "", &log_in()).await?;
    let token = session["token"].as_str().unwrap_or_default().to_owned();
    let mut id = String::new();
    for n in 0..RECORDS {
        let content = json!({"type": "inspection", "title": format!("Pump {n}"), "fields": {"bar": 4.5, "seal": "worn"}});
        let record = post("/v1/records", format!("record-{n}"), &token, &content).await?;
        id = record["id"].as_str().unwrap_or_default().to_owned();
    }
    Ok((token, id))
}

async fn customer_of(cloud: &Cloud, token: &str) -> Result<String, Box<dyn Error>> {
    let url = format!("http://{}/v1/session", cloud.address());
    let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await?;
    let session: Value = answer.error_for_status()?.json().await?;
    let id = session["customer"]["id"].as_str().ok_or("a session has a customer")?;
    Ok(id.to_owned())
}

fn build(root: &Path, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
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
