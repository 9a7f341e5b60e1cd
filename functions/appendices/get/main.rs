use std::process::ExitCode;

use am_service::appendices::get::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
