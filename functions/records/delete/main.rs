use std::process::ExitCode;

use am_service::records::delete::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
