//! The functions of AM Service, one module each, named for what they do. `mod.rs` is the endpoint,
//! `main.rs` its Lambda binary. Handlers are a library too, so that tests and the local cloud run
//! the very code that AWS runs.

pub mod resources;
pub mod shapes;

pub mod create_customer;
pub mod create_session;
pub mod delete_session;
pub mod get_session;

pub mod create_record;
pub mod delete_record;
pub mod get_record;
pub mod list_records;
pub mod list_revisions;
pub mod update_record;

pub mod add_appendix;
pub mod add_appendix_version;
pub mod delete_appendix;
pub mod get_appendix;
pub mod list_appendices;
pub mod store_appendix;

pub mod audit_backups;
pub mod open_backup_run;
pub mod record_backup_job;
pub mod restore_service;
pub mod verify_restore;

pub mod receive_sentry_hook;
pub mod report_crash;
pub mod settle_crashes;

pub mod get_policy;
pub mod get_requirements;
