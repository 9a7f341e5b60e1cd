use std::process::ExitCode;

use am_service::people::invite::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
