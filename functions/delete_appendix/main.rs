use std::process::ExitCode;

use am_service::delete_appendix::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
