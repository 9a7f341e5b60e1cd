use std::process::ExitCode;

use am_service::appendices::add::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
