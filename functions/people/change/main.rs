use std::process::ExitCode;

use am_service::people::change::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
