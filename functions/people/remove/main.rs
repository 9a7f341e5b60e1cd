use std::process::ExitCode;

use am_service::people::remove::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
