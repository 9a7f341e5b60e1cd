use std::process::ExitCode;

use am_service::create_session::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
