use std::process::ExitCode;

use am_service::types::update::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
