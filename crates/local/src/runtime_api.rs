//! The built binaries behind Lambda's Runtime API: each function's process is started with the
//! environment that Lambda would give it, asks for its next event over HTTP and posts its answer.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::template::Function;
use crate::{Invoke, InvokeError, LocalError, listen};

/// Runs built binaries, as many processes of each as there are events at once.
pub(crate) struct Binaries {
    folder: PathBuf,
    functions: HashMap<String, Function>,
    idle: Mutex<HashMap<String, Vec<Sandbox>>>,
}

impl Binaries {
    /// Takes binaries from `folder`: `folder/NAME` as cargo leaves them, or `folder/NAME/bootstrap`
    /// as cargo-lambda does.
    pub(crate) fn new(folder: &Path, template: &[Function]) -> Self {
        let named = template.iter().map(|function| (function.binary.clone(), function.clone()));
        Self {
            folder: folder.to_owned(),
            functions: named.collect(),
            idle: Mutex::new(HashMap::new()),
        }
    }

    async fn run(&self, name: &str, event: Value) -> Result<Value, InvokeError> {
        let function = self
            .functions
            .get(name)
            .ok_or_else(|| InvokeError(format!("there is no function {name}")))?;
        let idle = self.idle().get_mut(name).and_then(Vec::pop);
        let mut sandbox = match idle {
            Some(sandbox) => sandbox,
            None => Sandbox::start(&self.path(name), function)
                .await
                .map_err(|error| InvokeError(format!("{name} cannot start: {error}")))?,
        };
        let timeout = Duration::from_secs(function.timeout_s);
        // A sandbox that failed to answer is dropped, and its process with it.
        let answer = tokio::time::timeout(timeout, sandbox.take(event))
            .await
            .map_err(|_| InvokeError(format!("{name} took longer than {timeout:?}")))??;
        self.idle().entry(name.to_owned()).or_default().push(sandbox);
        answer.map_err(InvokeError)
    }

    fn path(&self, name: &str) -> PathBuf {
        let packaged = self.folder.join(name).join("bootstrap");
        if packaged.exists() { packaged } else { self.folder.join(name) }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<Sandbox>>> {
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Invoke for Binaries {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        event: Value,
    ) -> BoxFuture<'a, Result<Value, InvokeError>> {
        Box::pin(self.run(function, event))
    }
}

/// What a function says to an event: an answer, or what went wrong.
type Answer = Result<Value, String>;

/// One process and the Runtime API that it talks to.
struct Sandbox {
    events: mpsc::Sender<(Value, oneshot::Sender<Answer>)>,
    process: Child,
    server: AbortHandle,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The Runtime API's side of a sandbox.
struct Api {
    events: tokio::sync::Mutex<mpsc::Receiver<(Value, oneshot::Sender<Answer>)>>,
    pending: Mutex<Option<oneshot::Sender<Answer>>>,
    timeout: Duration,
}

impl Sandbox {
    async fn start(binary: &Path, function: &Function) -> Result<Self, LocalError> {
        let listener = listen::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let address = listen::address_of(&listener)?;
        let (events, receiver) = mpsc::channel(1);
        let api = Arc::new(Api {
            events: tokio::sync::Mutex::new(receiver),
            pending: Mutex::new(None),
            timeout: Duration::from_secs(function.timeout_s),
        });
        let server = tokio::spawn(listen::serve(listener, move |_| {
            let api = api.clone();
            service_fn(move |request| {
                let api = api.clone();
                async move { Ok::<_, Infallible>(api.answer(request).await) }
            })
        }));
        let mut process = Command::new(binary)
            .env_clear()
            .envs(&function.environment)
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", &function.name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| LocalError::File { path: binary.to_owned(), source })?;
        if let Some(logs) = process.stdout.take() {
            tokio::spawn(pass_on(logs, function.binary.clone()));
        }
        Ok(Self { events, process, server: server.abort_handle() })
    }

    async fn take(&mut self, event: Value) -> Result<Answer, InvokeError> {
        let (sender, answer) = oneshot::channel();
        let gone = |_| InvokeError("the function's process ended".to_owned());
        self.events
            .send((event, sender))
            .await
            .map_err(|_| InvokeError("no process".to_owned()))?;
        tokio::select! {
            answer = answer => answer.map_err(gone),
            // Ends at once where the process does: nobody would answer any more.
            _ = self.process.wait() => Err(InvokeError("the function's process ended".to_owned())),
        }
    }
}

impl Api {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let step = path.strip_prefix("/2018-06-01/runtime/").unwrap_or("");
        match (request.method(), step) {
            (&Method::GET, "invocation/next") => self.next().await,
            (&Method::POST, step) if step.ends_with("/response") => {
                let answer = json_body(request).await;
                self.finish(answer)
            }
            (&Method::POST, step) if step.ends_with("/error") => {
                let error = json_body(request).await;
                self.finish(Err(error.map_or_else(|error| error, |error| error.to_string())))
            }
            _ => status(StatusCode::NOT_FOUND),
        }
    }

    async fn next(&self) -> Response<Full<Bytes>> {
        let Some((event, sender)) = self.events.lock().await.recv().await else {
            return status(StatusCode::GONE);
        };
        *self.pending() = Some(sender);
        let timeout = i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX);
        let deadline = runtime::now().millis().saturating_add(timeout);
        let mut response = Response::new(Full::new(Bytes::from(event.to_string())));
        let headers = response.headers_mut();
        let arn = "arn:aws:lambda:eu-central-1:000000000000:function:local";
        for (name, value) in [
            ("lambda-runtime-aws-request-id", "00000000-0000-0000-0000-000000000000"),
            ("lambda-runtime-deadline-ms", &deadline.to_string()),
            ("lambda-runtime-invoked-function-arn", arn),
        ] {
            headers.insert(name, value.parse().expect("digits and an ARN are a header's value"));
        }
        response
    }

    fn finish(&self, answer: Answer) -> Response<Full<Bytes>> {
        if let Some(sender) = self.pending().take() {
            // Nobody waits any more where the event timed out.
            let _ = sender.send(answer);
        }
        status(StatusCode::ACCEPTED)
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Option<oneshot::Sender<Answer>>> {
        self.pending.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What a function writes is its log, as on Lambda; here it becomes a part of ours.
async fn pass_on(logs: ChildStdout, function: String) {
    let mut lines = BufReader::new(logs).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        tracing::info!(function, "{line}");
    }
}

async fn json_body(request: Request<Incoming>) -> Answer {
    let body = request.into_body().collect().await.map_err(|error| error.to_string())?;
    serde_json::from_slice(&body.to_bytes()).map_err(|error| error.to_string())
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
