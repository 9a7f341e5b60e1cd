//! The functions in this process: each gets the environment that the template gives it, and JSON in
//! and out, exactly as on Lambda.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use runtime::{Env, HttpClient, OperatorEnv, Run};
use serde_json::Value;

use crate::dynamodb::Within;
use crate::template::Function;
use crate::{Invoke, InvokeError, LocalError};

pub(crate) struct InProcess {
    functions: HashMap<String, (Run, Duration)>,
}

impl InProcess {
    /// Builds every function of the template, each from its own environment.
    pub(crate) fn start(template: &[Function], database: Within) -> Result<Self, LocalError> {
        let client = HttpClient::of(database.client(HttpClient::plain()));
        let all = am_service::all();
        let mut started = HashMap::new();
        for function in template {
            let binary = &function.binary;
            let known = all.iter().find(|known| known.name == binary);
            let known = known.ok_or_else(|| LocalError::UnknownFunction(binary.clone()))?;
            let lookup = |name: &str| function.environment.get(name).cloned();
            let env = OperatorEnv::new(Env::new(&lookup).with_http(client.clone()));
            let run = known
                .start(&env)
                .map_err(|source| LocalError::Config { binary: binary.clone(), source })?;
            started.insert(binary.clone(), (run, Duration::from_secs(function.timeout_s)));
        }
        Ok(Self { functions: started })
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
                .map_err(|error| InvokeError(am_http::chain(&*error)))
        })
    }
}
