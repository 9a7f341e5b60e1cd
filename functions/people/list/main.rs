use std::process::ExitCode;

use am_service::people::list::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
