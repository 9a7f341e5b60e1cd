use std::process::ExitCode;

use am_service::comments::edit::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
