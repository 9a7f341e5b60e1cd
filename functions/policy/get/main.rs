use std::process::ExitCode;

use am_service::policy::get::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
