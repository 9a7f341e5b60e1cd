//! Customers, their people, and sessions.

pub mod ask_for_reset;
pub mod ask_to_sign_up;
pub mod change_customer;
pub mod change_password;
pub mod create_customer;
pub mod create_session;
pub mod create_token;
pub mod delete_session;
pub mod end_sessions;
pub mod export_usage;
pub mod get_customer;
pub mod get_session;
pub mod get_usage;
mod letters;
pub mod list_customers;
pub mod list_events;
pub mod list_sessions;
pub mod list_tokens;
pub mod make_sign_up;
pub mod reset_password;
pub mod revoke_token;
pub mod set_quota;
mod started;
pub mod suspend;
pub mod switch_company;

use am_http::{Code, Problem, StatusCode};
use lambda_http::http::header::WWW_AUTHENTICATE;
pub(crate) use started::device;

pub(crate) const WRONG_LOGIN: Code =
    Code::new(StatusCode::UNAUTHORIZED, "wrong_login", "The name or the password is wrong.");

/// The same for a wrong password and a name that nobody has.
pub(crate) fn wrong_login() -> Problem {
    Problem::new(WRONG_LOGIN, "The name or the password is wrong.")
        .header(WWW_AUTHENTICATE, "Bearer")
}
