use std::process::ExitCode;

use am_service::accounts::reset_password::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
