use std::process::ExitCode;

use am_service::list_appendices::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
