use std::process::ExitCode;

use am_service::crashes::settle::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
