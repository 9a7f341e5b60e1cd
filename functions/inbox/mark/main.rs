use std::process::ExitCode;

use am_service::inbox::mark::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
