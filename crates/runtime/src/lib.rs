//! What every function's process is made of: configuration from the environment, SDK clients,
//! randomness, logs, and the loop that takes events. Built once, when the process starts, and
//! nothing that the function does not need. It must never know a function.

mod clients;
pub mod clock;
mod entropy;
mod env;
mod function;
mod logs;
mod reports;
mod run;

pub use clients::{BackupClient, HttpClient};
pub use clock::now;
pub use entropy::OsEntropy;
pub use env::{ConfigError, Env, OperatorEnv};
pub use function::{Endpoint, Function, Run};
pub use run::{EventError, EventFunction, HttpFunction, event, http};
