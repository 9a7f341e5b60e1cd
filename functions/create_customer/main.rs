use std::process::ExitCode;

use am_service::create_customer::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
