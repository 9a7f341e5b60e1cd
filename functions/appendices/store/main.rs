use std::process::ExitCode;

use am_service::appendices::store::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
