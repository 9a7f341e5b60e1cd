use std::process::ExitCode;

use am_service::overview::get::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
