use std::process::ExitCode;

use am_service::comments::add::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
