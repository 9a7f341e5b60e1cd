use std::process::ExitCode;

use am_service::restore_service::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
