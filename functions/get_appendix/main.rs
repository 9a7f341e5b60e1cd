use std::process::ExitCode;

use am_service::get_appendix::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
