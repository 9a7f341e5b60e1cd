use std::process::ExitCode;

use am_service::add_appendix::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
