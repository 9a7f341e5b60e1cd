use std::process::ExitCode;

use am_service::comments::list::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
