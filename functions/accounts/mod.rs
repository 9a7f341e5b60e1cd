//! Customers, their people, and sessions.

pub mod create_customer;
pub mod create_session;
pub mod delete_session;
pub mod get_session;
pub mod get_usage;
pub mod set_quota;
