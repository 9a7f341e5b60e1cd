use std::process::ExitCode;

use am_service::appendices::delete::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
