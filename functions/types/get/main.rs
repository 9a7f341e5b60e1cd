use std::process::ExitCode;

use am_service::types::get::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
