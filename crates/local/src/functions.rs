//! The functions in this process: each gets the environment that the template gives it, and JSON in
//! and out, exactly as on Lambda.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use lambda_http::lambda_runtime::{Context, LambdaEvent};
use runtime::{ConfigError, Env, EventFunction, HttpClient, HttpFunction};
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
    use am_service::*;

    Ok(Some(match binary {
        "create-customer" => http(create_customer::FUNCTION, env)?,
        "create-session" => http(create_session::FUNCTION, env)?,
        "get-session" => http(get_session::FUNCTION, env)?,
        "delete-session" => http(delete_session::FUNCTION, env)?,
        "create-record" => http(create_record::FUNCTION, env)?,
        "get-record" => http(get_record::FUNCTION, env)?,
        "list-records" => http(list_records::FUNCTION, env)?,
        "update-record" => http(update_record::FUNCTION, env)?,
        "delete-record" => http(delete_record::FUNCTION, env)?,
        "list-revisions" => http(list_revisions::FUNCTION, env)?,
        "add-appendix" => http(add_appendix::FUNCTION, env)?,
        "add-appendix-version" => http(add_appendix_version::FUNCTION, env)?,
        "list-appendices" => http(list_appendices::FUNCTION, env)?,
        "get-appendix" => http(get_appendix::FUNCTION, env)?,
        "delete-appendix" => http(delete_appendix::FUNCTION, env)?,
        "audit-backups" => event(audit_backups::FUNCTION, env)?,
        "open-backup-run" => event(open_backup_run::FUNCTION, env)?,
        "record-backup-job" => event(record_backup_job::FUNCTION, env)?,
        "restore-service" => event(restore_service::FUNCTION, env)?,
        "verify-restore" => event(verify_restore::FUNCTION, env)?,
        "receive-sentry-hook" => http(receive_sentry_hook::FUNCTION, env)?,
        "report-crash" => http(report_crash::FUNCTION, env)?,
        "settle-crashes" => event(settle_crashes::FUNCTION, env)?,
        "get-policy" => http(get_policy::FUNCTION, env)?,
        "get-requirements" => http(get_requirements::FUNCTION, env)?,
        "store-appendix" => event(store_appendix::FUNCTION, env)?,
        _ => return Ok(None),
    }))
}

/// A function behind API Gateway, between the event's JSON and the answer's.
fn http<C: Send + Sync + 'static>(
    function: HttpFunction<C>,
    env: &Env<'_>,
) -> Result<Run, ConfigError> {
    let context: &'static C = Box::leak(Box::new((function.build)(env)?));
    let handle = function.handle;
    Ok(Box::new(move |event| {
        Box::pin(async move {
            let event = LambdaEvent::new(parse(event)?, Context::default());
            let answer = am_http::answer(context, event, handle).await;
            let answer = answer.map_err(|error| InvokeError(error.to_string()))?;
            Ok(serde_json::to_value(&answer).expect("answers become JSON"))
        })
    }))
}

/// A function that takes other events.
fn event<C, E, R>(function: EventFunction<C, E, R>, env: &Env<'_>) -> Result<Run, ConfigError>
where
    C: Send + Sync + 'static,
    E: DeserializeOwned + Send + 'static,
    R: Serialize + 'static,
{
    let context: &'static C = Box::leak(Box::new((function.build)(env)?));
    let handle = function.handle;
    Ok(Box::new(move |event| {
        Box::pin(async move {
            let result = handle(context, parse(event)?).await;
            let result = result.map_err(|error| InvokeError(am_http::chain(&*error)))?;
            Ok(serde_json::to_value(&result).expect("results become JSON"))
        })
    }))
}

fn parse<E: DeserializeOwned>(event: Value) -> Result<E, InvokeError> {
    // From text, as on Lambda: the event types borrow from it.
    serde_json::from_str(&event.to_string())
        .map_err(|error| InvokeError(format!("the event does not fit: {error}")))
}
