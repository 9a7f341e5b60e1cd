use std::process::ExitCode;

use am_service::store_appendix::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
