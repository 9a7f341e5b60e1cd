use std::process::ExitCode;

use am_service::get_policy::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
