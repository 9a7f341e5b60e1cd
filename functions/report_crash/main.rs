use std::process::ExitCode;

use am_service::report_crash::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
