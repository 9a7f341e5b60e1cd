use std::process::ExitCode;

use am_service::add_appendix_version::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
