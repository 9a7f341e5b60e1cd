use std::process::ExitCode;

use am_service::records::patch::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
