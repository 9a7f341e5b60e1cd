use std::process::ExitCode;

use am_service::accounts::change_password::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
