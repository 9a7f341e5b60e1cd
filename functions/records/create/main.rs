use std::process::ExitCode;

use am_service::records::create::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
