use std::process::ExitCode;

use am_service::comments::delete::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
