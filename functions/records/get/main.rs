use std::process::ExitCode;

use am_service::records::get::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
