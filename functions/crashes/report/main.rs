use std::process::ExitCode;

use am_service::crashes::report::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
