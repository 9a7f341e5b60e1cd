use std::process::ExitCode;

use am_service::accounts::list_sessions::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
