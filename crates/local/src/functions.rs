//! The functions in this process: each gets the environment that the template gives it, and JSON in
//! and out, exactly as on Lambda.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use am_http::Handler;
use am_service as functions;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use lambda_http::lambda_runtime::{Context, LambdaEvent};
use runtime::{ConfigError, Env, EventHandler, HttpClient, OsEntropy};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::template::Function;
use crate::{Invoke, InvokeError, LocalError};

type Run = Box<dyn Fn(Value) -> BoxFuture<'static, Result<Value, InvokeError>> + Send + Sync>;

pub(crate) struct InProcess {
    functions: HashMap<String, (Run, Duration)>,
}

impl InProcess {
    /// Builds every function of the template, each from its own environment.
    pub(crate) fn start(template: &[Function]) -> Result<Self, LocalError> {
        let client = HttpClient::default();
        let mut built = HashMap::new();
        for function in template {
            let lookup = |name: &str| function.environment.get(name).cloned();
            let env = Env::new(&lookup).with_http(client.clone());
            let config = |source| LocalError::Config { binary: function.binary.clone(), source };
            let run = build(&function.binary, &env)
                .map_err(config)?
                .ok_or_else(|| LocalError::UnknownFunction(function.binary.clone()))?;
            let timeout = Duration::from_secs(function.timeout_s);
            built.insert(function.binary.clone(), (run, timeout));
        }
        Ok(Self { functions: built })
    }
}

impl Invoke for InProcess {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        event: Value,
    ) -> BoxFuture<'a, Result<Value, InvokeError>> {
        Box::pin(async move {
            let (run, timeout) = self
                .functions
                .get(function)
                .ok_or_else(|| InvokeError(format!("there is no function {function}")))?;
            // On Lambda a panic ends one invocation, not the caller.
            let ran = AssertUnwindSafe(run(event)).catch_unwind();
            tokio::time::timeout(*timeout, ran)
                .await
                .map_err(|_| InvokeError(format!("{function} took longer than {timeout:?}")))?
                .map_err(|_| InvokeError(format!("{function} panicked")))?
        })
    }
}

/// What `functions/*/main.rs` does, for all of them. `None`: there is no such function.
fn build(binary: &str, env: &Env<'_>) -> Result<Option<Run>, ConfigError> {
    use functions::*;

    let store = || env.store();
    let with_passwords = || Ok((env.store()?, env.passwords()?));
    let with_objects = || Ok((env.store()?, env.objects()?));
    Ok(Some(match binary {
        "create-customer" => http(with_passwords()?, |(store, passwords), request| {
            Box::pin(create_customer::handle(store, passwords, &OsEntropy, request))
        }),
        "create-session" => http(with_passwords()?, |(store, passwords), request| {
            Box::pin(create_session::handle(store, passwords, &OsEntropy, request))
        }),
        "get-session" => {
            http(store()?, |store, request| Box::pin(get_session::handle(store, request)))
        }
        "delete-session" => {
            http(store()?, |store, request| Box::pin(delete_session::handle(store, request)))
        }
        "create-record" => http(store()?, |store, request| {
            Box::pin(create_record::handle(store, &OsEntropy, request))
        }),
        "get-record" => {
            http(store()?, |store, request| Box::pin(get_record::handle(store, request)))
        }
        "list-records" => {
            http(store()?, |store, request| Box::pin(list_records::handle(store, request)))
        }
        "update-record" => {
            http(store()?, |store, request| Box::pin(update_record::handle(store, request)))
        }
        "delete-record" => {
            http(store()?, |store, request| Box::pin(delete_record::handle(store, request)))
        }
        "list-revisions" => {
            http(store()?, |store, request| Box::pin(list_revisions::handle(store, request)))
        }
        "add-appendix" => http(with_objects()?, |(store, objects), request| {
            Box::pin(add_appendix::handle(store, objects, &OsEntropy, request))
        }),
        "add-appendix-version" => http(with_objects()?, |(store, objects), request| {
            Box::pin(add_appendix_version::handle(store, objects, request))
        }),
        "list-appendices" => {
            http(store()?, |store, request| Box::pin(list_appendices::handle(store, request)))
        }
        "get-appendix" => http(with_objects()?, |(store, objects), request| {
            Box::pin(get_appendix::handle(store, objects, request))
        }),
        "delete-appendix" => {
            http(store()?, |store, request| Box::pin(delete_appendix::handle(store, request)))
        }
        "store-appendix" => event(with_objects()?, |(store, objects), event| {
            Box::pin(async move {
                Ok(store_appendix::handle(store, objects, &event, runtime::now()).await?)
            })
        }),
        _ => return Ok(None),
    }))
}

/// A function behind API Gateway, between the event's JSON and the answer's.
fn http<C: Send + Sync + 'static>(context: C, handle: Handler<C>) -> Run {
    let context: &'static C = Box::leak(Box::new(context));
    Box::new(move |event| {
        Box::pin(async move {
            let event = LambdaEvent::new(parse(event)?, Context::default());
            let answer = am_http::answer(context, event, handle).await;
            let answer = answer.map_err(|error| InvokeError(error.to_string()))?;
            Ok(serde_json::to_value(&answer).expect("answers become JSON"))
        })
    })
}

/// A function that takes other events.
fn event<C, E, R>(context: C, handle: EventHandler<C, E, R>) -> Run
where
    C: Send + Sync + 'static,
    E: DeserializeOwned + Send + 'static,
    R: Serialize + 'static,
{
    let context: &'static C = Box::leak(Box::new(context));
    Box::new(move |event| {
        Box::pin(async move {
            let event: E = parse(event)?;
            let result = handle(context, event).await;
            let result = result.map_err(|error| InvokeError(error.to_string()))?;
            Ok(serde_json::to_value(&result).expect("results become JSON"))
        })
    })
}

fn parse<E: DeserializeOwned>(event: Value) -> Result<E, InvokeError> {
    // From text, as on Lambda: the event types borrow from it.
    serde_json::from_str(&event.to_string())
        .map_err(|error| InvokeError(format!("the event does not fit: {error}")))
}
