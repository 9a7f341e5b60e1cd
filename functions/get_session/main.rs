use std::process::ExitCode;

use am_service::get_session::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
