use std::process::ExitCode;

use am_service::appendices::add_version::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
