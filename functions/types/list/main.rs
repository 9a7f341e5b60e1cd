use std::process::ExitCode;

use am_service::types::list::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
