//! A process behind Lambda's Runtime API, and what it costs: measured where the answer arrives,
//! while the process waits for its next event.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use benches::{peak_memory_kib, processor_time, processor_time_of_main};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How to start something that speaks the Runtime API.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
}

/// What one answer took.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// Since the start of the process, or since the event was handed over.
    pub(crate) wall: Duration,
    /// Of the process, since its start.
    pub(crate) processor: Duration,
    /// Of its first thread alone.
    pub(crate) processor_of_main: Duration,
    pub(crate) peak_memory_kib: u64,
}

pub(crate) struct Sandbox {
    events: mpsc::Sender<Bytes>,
    answers: mpsc::Receiver<Answered>,
    process: Child,
    started: Instant,
    server: AbortHandle,
}

/// An answer, with the clocks read when it came.
struct Answered {
    body: Bytes,
    handed_over: Instant,
    at: Instant,
    processor: Duration,
    processor_of_main: Duration,
    peak_memory_kib: u64,
}

struct Api {
    events: tokio::sync::Mutex<mpsc::Receiver<Bytes>>,
    answers: mpsc::Sender<Answered>,
    process: Mutex<u32>,
    handed_over: Mutex<Instant>,
}

impl Sandbox {
    pub(crate) async fn start(program: &Program) -> Result<Self, Box<dyn Error>> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let address = listener.local_addr()?;
        let (events, next) = mpsc::channel(1);
        let (answer, answers) = mpsc::channel(1);
        let api = Arc::new(Api {
            events: tokio::sync::Mutex::new(next),
            answers: answer,
            process: Mutex::new(0),
            handed_over: Mutex::new(Instant::now()),
        });
        let serving = api.clone();
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let api = serving.clone();
                let serve = service_fn(move |request| {
                    let api = api.clone();
                    async move { Ok::<_, Infallible>(api.answer(request).await) }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), serve));
            }
        });
        let started = Instant::now();
        let process = Command::new(&program.path)
            .args(&program.arguments)
            .env_clear()
            .envs(&program.environment)
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("NODE_NO_WARNINGS", "1")
            .env("AWS_LAMBDA_FUNCTION_NAME", "measured")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{} cannot start: {error}", program.path.display()))?;
        *api.process.lock().unwrap_or_else(PoisonError::into_inner) = process.id().unwrap_or(0);
        Ok(Self { events, answers, process, started, server: server.abort_handle() })
    }

    /// Sends one event; the answer, and what it took since the event was handed over.
    pub(crate) async fn ask(&mut self, event: &Bytes) -> Result<(Value, Taken), Box<dyn Error>> {
        self.events.send(event.clone()).await?;
        let answered = tokio::time::timeout(ANSWER_TIMEOUT, self.answers.recv());
        let answered = tokio::select! {
            answered = answered => answered?.ok_or("the Runtime API has ended")?,
            _ = self.process.wait() => return Err("the process has ended".into()),
        };
        let taken = Taken {
            wall: answered.at - answered.handed_over,
            processor: answered.processor,
            processor_of_main: answered.processor_of_main,
            peak_memory_kib: answered.peak_memory_kib,
        };
        Ok((serde_json::from_slice(&answered.body)?, taken))
    }

    /// The same for the first event: what it took since the process was started.
    pub(crate) async fn first(
        program: &Program,
        event: &Bytes,
    ) -> Result<(Self, Value, Taken), Box<dyn Error>> {
        let mut sandbox = Self::start(program).await?;
        let (answer, mut taken) = sandbox.ask(event).await?;
        taken.wall = sandbox.started.elapsed();
        Ok((sandbox, answer, taken))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Api {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        match *request.method() {
            Method::GET if path.ends_with("/invocation/next") => self.next().await,
            Method::POST if path.ends_with("/response") || path.ends_with("/error") => {
                let Ok(body) = request.into_body().collect().await else {
                    return status(StatusCode::BAD_REQUEST);
                };
                let at = Instant::now();
                let process = *self.process.lock().unwrap_or_else(PoisonError::into_inner);
                let answered = Answered {
                    body: body.to_bytes(),
                    handed_over: *self.handed_over.lock().unwrap_or_else(PoisonError::into_inner),
                    at,
                    processor: processor_time(process),
                    processor_of_main: processor_time_of_main(process),
                    peak_memory_kib: peak_memory_kib(process),
                };
                let _ = self.answers.send(answered).await;
                status(StatusCode::ACCEPTED)
            }
            _ => status(StatusCode::NOT_FOUND),
        }
    }

    async fn next(&self) -> Response<Full<Bytes>> {
        let Some(event) = self.events.lock().await.recv().await else {
            return status(StatusCode::GONE);
        };
        let mut response = Response::new(Full::new(event));
        let deadline_ms = runtime::now().millis() + 28_000;
        let arn = "arn:aws:lambda:eu-central-1:000000000000:function:measured";
        let headers: &mut HeaderMap = response.headers_mut();
        for (name, value) in [
            ("lambda-runtime-aws-request-id", "00000000-0000-0000-0000-000000000000"),
            ("lambda-runtime-deadline-ms", &deadline_ms.to_string()),
            ("lambda-runtime-invoked-function-arn", arn),
        ] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        *self.handed_over.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        response
    }
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
