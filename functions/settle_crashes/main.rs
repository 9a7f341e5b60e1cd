use std::process::ExitCode;

use am_service::settle_crashes::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
