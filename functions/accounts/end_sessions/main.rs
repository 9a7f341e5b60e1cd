use std::process::ExitCode;

use am_service::accounts::end_sessions::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
