use std::process::ExitCode;

use am_service::changes::make::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
