use std::process::ExitCode;

use am_service::list_records::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
