use std::process::ExitCode;

use am_service::people::let_reset::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
