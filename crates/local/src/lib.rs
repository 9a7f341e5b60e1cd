//! AM Service on one machine: API Gateway's shape in front of the very handlers that run on Lambda,
//! DynamoDB and S3 as embedded servers on loopback, events from the bucket. Routes, tables, names
//! and events come from template.yaml and infra/, never from a second list.
//!
//! It keeps everything in one folder, survives being killed, and is honest about what it is not:
//! docs/ARCHITECTURE.md has the list.

mod backup;
mod cloud;
mod conditions;
mod dynamodb;
mod error;
mod evening;
mod events;
mod folder;
mod functions;
mod gateway;
mod hex;
mod history;
mod hosts;
mod identity;
mod invoke;
mod listen;
mod mail;
mod objects;
mod options;
mod runtime_api;
mod schedules;
mod secrets;
pub mod template;
mod time;
mod upkeep;
mod values;
mod whole_file;
mod yaml;

pub use backup::{BroughtBack, Fault, Faults};
pub use cloud::Cloud;
pub use error::LocalError;
pub use evening::{Evening, Progress};
pub use hosts::PublicUrl;
pub use identity::Usage;
pub use invoke::{Invoke, InvokeError};
pub use options::Options;
pub use schedules::Due;
