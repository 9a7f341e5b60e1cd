use std::process::ExitCode;

use am_service::people::join::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
