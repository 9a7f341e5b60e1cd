use std::process::ExitCode;

use am_service::people::forget::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
