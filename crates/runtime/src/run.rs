//! The loops: one for functions behind API Gateway, one for functions that take other events.

use std::error::Error;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use am_http::Handler;
use domain::Timestamp;
use futures_util::future::BoxFuture;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{ConfigError, Env};

/// A failed event, to be delivered again.
pub type EventError = Box<dyn Error + Send + Sync>;

/// Builds what a function needs, once, when its process starts.
pub type Build<C> = fn(&Env<'_>) -> Result<C, ConfigError>;

/// A function behind API Gateway.
pub struct HttpFunction<C> {
    pub build: Build<C>,
    pub handle: Handler<C>,
}

/// A function that takes other events: one in, a result out.
pub struct EventFunction<C, E, R> {
    pub build: Build<C>,
    pub handle: for<'a> fn(&'a C, E) -> BoxFuture<'a, Result<R, EventError>>,
}

/// Runs a function behind API Gateway.
pub fn http<C: Send + Sync + 'static>(function: HttpFunction<C>) -> ExitCode {
    run(function.build, async |context| {
        let handle = function.handle;
        let answer = service_fn(move |event| am_http::answer(context, event, handle));
        lambda_runtime::run(answer).await
    })
}

/// Runs a function that takes other events. Its failure makes the event come again.
pub fn event<C, E, R>(function: EventFunction<C, E, R>) -> ExitCode
where
    C: Send + Sync + 'static,
    E: DeserializeOwned + Send + 'static,
    R: Serialize + Send + Sync + 'static,
{
    run(function.build, async |context| {
        let handle = function.handle;
        let answer = service_fn(move |event: LambdaEvent<E>| async move {
            let result = handle(context, event.payload).await;
            if let Err(error) = &result {
                let request_id = event.context.request_id;
                tracing::error!(request_id, cause = error.as_ref() as &dyn Error, "failed");
            }
            result
        });
        lambda_runtime::run(answer).await
    })
}

/// The time by this machine's clock: for events, which carry no time of their own that counts.
pub fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

fn run<C: Send + Sync + 'static>(
    build: Build<C>,
    take_events: impl AsyncFnOnce(&'static C) -> Result<(), EventError>,
) -> ExitCode {
    // Lambda adds the time itself.
    tracing_subscriber::fmt().json().flatten_event(true).without_time().with_target(false).init();
    let context: &'static C = match build(&Env::new(&|name| std::env::var(name).ok())) {
        // Lives as long as the process, like the sandbox it is for.
        Ok(context) => Box::leak(Box::new(context)),
        Err(error) => {
            tracing::error!("cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    // One request at a time: one thread suffices, and starts faster.
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match executor {
        Ok(executor) => executor.block_on(take_events(context)),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(cause = error.as_ref() as &dyn Error, "the event loop ended");
            ExitCode::FAILURE
        }
    }
}
