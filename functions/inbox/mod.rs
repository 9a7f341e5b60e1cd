//! What people are told of records that concern them.

pub mod choose_mail;
pub mod list;
pub mod mark;
pub mod send_daily;
