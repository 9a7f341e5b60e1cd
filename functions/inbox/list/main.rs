use std::process::ExitCode;

use am_service::inbox::list::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
