use std::process::ExitCode;

use am_service::people::accept::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
