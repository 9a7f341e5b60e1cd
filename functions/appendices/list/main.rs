use std::process::ExitCode;

use am_service::appendices::list::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
