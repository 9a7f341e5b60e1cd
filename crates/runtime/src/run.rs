//! The loops: one for functions behind API Gateway, one for functions that take other events.

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::Instant;

use am_http::{Declaration, Handle};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::reports::{Crashes, Reporter};
use crate::{ConfigError, Env, OperatorEnv, logs};

/// A failed event, to be delivered again.
pub type EventError = Box<dyn Error + Send + Sync>;

/// A function behind API Gateway: what it is, what it needs, what it does.
pub struct HttpFunction<C: 'static> {
    pub declaration: Declaration,
    /// Builds what it needs, once, when its process starts.
    pub build: fn(&Env<'_>) -> Result<C, ConfigError>,
    pub handle: Handle<C>,
}

/// A function that takes other events: one in, a result out.
pub struct EventFunction<C, E, R> {
    /// Its binary: `store-appendix`.
    pub name: &'static str,
    /// Builds what it needs, once, when its process starts.
    pub build: fn(&OperatorEnv<'_>) -> Result<C, ConfigError>,
    pub handle: for<'a> fn(&'a C, E) -> BoxFuture<'a, Result<R, EventError>>,
}

/// Runs a function behind API Gateway.
pub fn http<C: Send + Sync + 'static>(function: HttpFunction<C>) -> ExitCode {
    run(
        |env| (function.build)(env),
        async |context, crashes| {
            let handle = function.handle;
            let answer = service_fn(move |event| async move {
                let answer = am_http::answer(context, event, handle);
                // Handlers panic within; what is left is the making of a request and of an answer.
                let answer = AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
                    tracing::error!(failed = 1, cause = "no request or answer was made", "failed");
                    Err("the function panicked".into())
                });
                flush(crashes).await;
                answer
            });
            lambda_runtime::run(answer).await
        },
    )
}

/// Runs a function that takes other events. Its failure makes the event come again.
pub fn event<C, E, R>(function: EventFunction<C, E, R>) -> ExitCode
where
    C: Send + Sync + 'static,
    E: DeserializeOwned + Send + 'static,
    R: Serialize + Send + Sync + 'static,
{
    run(function.build, async |context, crashes| {
        let handle = function.handle;
        // Lambda's runtime would read an `E` itself, and nobody here would know of one that is none.
        let answer = service_fn(move |event: LambdaEvent<Value>| async move {
            let (started, request_id) = (Instant::now(), event.context.request_id);
            let result = match serde_path_to_error::deserialize(event.payload) {
                Ok(event) => AssertUnwindSafe(handle(context, event))
                    .catch_unwind()
                    .await
                    .unwrap_or_else(|_| Err("the handler panicked".into())),
                Err(error) => Err(error.into()),
            };
            let micros = am_http::micros_since(started);
            match &result {
                Ok(_) => tracing::info!(request_id, micros, failed = 0, "taken"),
                Err(error) => {
                    let cause = error.as_ref() as &dyn Error;
                    tracing::error!(request_id, micros, failed = 1, cause, "failed");
                }
            }
            flush(crashes).await;
            // Lambda's runtime logs what it gets, to the last byte of a store's answer.
            result.map_err(|error| EventError::from(am_http::chain(&*error)))
        });
        lambda_runtime::run(answer).await
    })
}

/// Before the answer: once it is given, the process may be frozen.
async fn flush(crashes: Option<&Crashes>) {
    if let Some(crashes) = crashes {
        crashes.flush().await;
    }
}

fn run<C: Send + Sync + 'static>(
    build: impl FnOnce(&OperatorEnv<'_>) -> Result<C, ConfigError>,
    take_events: impl AsyncFnOnce(&'static C, Option<&'static Crashes>) -> Result<(), EventError>,
) -> ExitCode {
    let env = OperatorEnv::new(Env::new(&|name| std::env::var(name).ok()));
    let crashes = Crashes::start(&env);
    logs::start(&env, crashes.as_ref().ok().copied().flatten().map(Reporter));
    // One request at a time: one thread suffices, and starts faster.
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = executor.map_err(EventError::from).and_then(|executor| {
        let crashes = crashes.inspect_err(|error| tracing::error!("cannot start: {error}"))?;
        executor.block_on(async {
            let ended = match std::panic::catch_unwind(AssertUnwindSafe(|| build(&env))) {
                // Lives as long as the process, like the sandbox it is for.
                Ok(Ok(context)) => take_events(Box::leak(Box::new(context)), crashes).await,
                Ok(Err(error)) => Err(error.into()),
                Err(_) => Err("building the function panicked".into()),
            };
            if let Err(error) = &ended {
                tracing::error!(cause = error.as_ref() as &dyn Error, "cannot go on");
                flush(crashes).await;
            }
            ended
        })
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
