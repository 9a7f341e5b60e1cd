use std::process::ExitCode;

use am_service::changes::list::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
