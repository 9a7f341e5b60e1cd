use std::process::ExitCode;

use am_service::records::update::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
