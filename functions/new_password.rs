//! Passwords that people want to have from now on: what may be one, and how a client is told that another may not.

use am_http::Problem;
use passwords::{NewPassword, PASSWORD_CHARS_MIN, Password, Passwords};
use serde_json::json;

/// The password at `field`, if it may be one. `known` is what a guesser would try first.
///
/// # Errors
/// 422 with a `rule`, and its `arguments`, by which a client says it in the person's language.
pub async fn accepted(
    passwords: &Passwords,
    password: NewPassword,
    field: &'static str,
    known: &[&str],
) -> Result<Password, Problem> {
    let accepted = passwords.accept(password, known).await.map_err(Problem::busy)?;
    accepted.map_err(|weak| {
        Problem::invalid(field, weak.to_string())
            .more("rule", weak.code().into())
            .more("arguments", json!({ "min": PASSWORD_CHARS_MIN }))
    })
}
