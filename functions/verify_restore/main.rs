use std::process::ExitCode;

use am_service::verify_restore::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
