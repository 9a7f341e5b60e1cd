//! Backups that are proven, and restores.

pub mod acknowledge_chain;
pub mod audit;
pub mod open_run;
pub mod record_job;
pub mod restore_service;
pub mod verify_restore;
