use std::process::ExitCode;

use am_service::types::create::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
