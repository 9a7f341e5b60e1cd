//! A function, whatever it is made of: so that all of them can be listed, and run in one process.

use am_http::{Access, Declaration};
use futures_util::future::BoxFuture;
use lambda_runtime::{Context, LambdaEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{ConfigError, EventError, EventFunction, HttpFunction, OperatorEnv};

/// One function of the service.
pub struct Function {
    /// Its binary: `get-record`.
    pub name: &'static str,
    /// Where it is below `functions/`, and its events below `events/`: `records/get`.
    pub folder: &'static str,
    /// What it is to whoever calls it by HTTP, if anyone does.
    pub endpoint: Option<Endpoint>,
    start: Start,
}

/// What an endpoint is, and who may call it.
pub struct Endpoint {
    pub declaration: Declaration,
    pub access: Access,
}

type Start = Box<dyn Fn(&OperatorEnv<'_>) -> Result<Run, ConfigError>>;

/// A function that has started: JSON in and out, as on Lambda.
pub type Run = Box<dyn Fn(Value) -> BoxFuture<'static, Result<Value, EventError>> + Send + Sync>;

impl Function {
    /// Builds what it needs from its own environment. It lives as long as the process.
    pub fn start(&self, env: &OperatorEnv<'_>) -> Result<Run, ConfigError> {
        (self.start)(env)
    }
}

impl<C: Send + Sync + 'static> HttpFunction<C> {
    pub fn listed(self, folder: &'static str) -> Function {
        let Self { declaration, build, handle } = self;
        let access = handle.access();
        let start = move |env: &OperatorEnv<'_>| -> Result<Run, ConfigError> {
            let context: &'static C = Box::leak(Box::new(build(env)?));
            Ok(Box::new(move |event| {
                Box::pin(async move {
                    let event = LambdaEvent::new(parse(event)?, Context::default());
                    let answer = am_http::answer(context, event, handle).await?;
                    Ok(serde_json::to_value(&answer)?)
                })
            }))
        };
        Function {
            name: declaration.name,
            folder,
            endpoint: Some(Endpoint { declaration, access }),
            start: Box::new(start),
        }
    }
}

impl<C, E, R> EventFunction<C, E, R>
where
    C: Send + Sync + 'static,
    E: DeserializeOwned + Send + 'static,
    R: Serialize + 'static,
{
    pub fn listed(self, folder: &'static str) -> Function {
        let Self { name, build, handle } = self;
        let start = move |env: &OperatorEnv<'_>| -> Result<Run, ConfigError> {
            let context: &'static C = Box::leak(Box::new(build(env)?));
            Ok(Box::new(move |event| {
                Box::pin(async move {
                    let result = handle(context, parse(event)?).await?;
                    Ok(serde_json::to_value(&result)?)
                })
            }))
        };
        Function { name, folder, endpoint: None, start: Box::new(start) }
    }
}

fn parse<E: DeserializeOwned>(event: Value) -> Result<E, EventError> {
    // From text, as on Lambda: the event types borrow from it.
    serde_json::from_str(&event.to_string())
        .map_err(|error| format!("the event does not fit: {error}").into())
}
