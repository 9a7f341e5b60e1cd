use std::process::ExitCode;

use am_service::policy::get_requirements::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
