use std::process::ExitCode;

use am_service::records::list::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
