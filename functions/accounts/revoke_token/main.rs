use std::process::ExitCode;

use am_service::accounts::revoke_token::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
