//! The program, as it serves.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// A program that ends with the test, however that ends.
pub struct Serving {
    program: Child,
    pub api: String,
    /// Where it keeps everything.
    data: PathBuf,
}

impl Serving {
    pub fn start(mut program: Command) -> Self {
        let data = program.get_args().skip_while(|it| *it != "--data").nth(1);
        let data = PathBuf::from(data.expect("a program has a folder"));
        let mut program = program
            .args(["--address", "127.0.0.1:0", "--objects-address", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let first = lines.next().expect("it says where it is").unwrap();
        let api = first.strip_prefix("AM Service is at ").unwrap().to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        Self { program, api, data }
    }

    /// The most memory that it had.
    pub fn peak_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.program.id()));
        let status = status.unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

pub fn program(folder: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_local"));
    program
        .current_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .arg("--data")
        .arg(folder);
    program
}

/// Signs a company up whose owner has this address.
pub async fn sign_up(serving: &Serving, email: &str) -> Value {
    let token = testing::letters::sign_up_token(&serving.api, &serving.data, email).await;
    let person = json!({
        "token": token, "company": "Verkstad AB", "name": "Eva Ek",
        "password": "two lathes and a mill",
    });
    let request = reqwest::Client::new().post(format!("{}/v1/customers", serving.api));
    let request = request.header("idempotency-key", "sign-up").json(&person);
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, 201, "{text}");
    serde_json::from_str(&text).unwrap()
}
