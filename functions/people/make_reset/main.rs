use std::process::ExitCode;

use am_service::people::make_reset::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
