//! Backups that are proven, and restores.

pub mod acknowledge_chain;
pub mod audit;
mod documents;
pub mod open_run;
pub mod record_job;
pub mod restore_service;
pub mod trace_chain;
mod traces;
pub mod verify_restore;
