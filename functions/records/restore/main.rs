use std::process::ExitCode;

use am_service::records::restore::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
