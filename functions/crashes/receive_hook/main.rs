use std::process::ExitCode;

use am_service::crashes::receive_hook::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
