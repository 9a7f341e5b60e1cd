use std::process::ExitCode;

use am_service::records::follow::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
