use std::process::ExitCode;

use am_service::records::build_index::FUNCTION;

fn main() -> ExitCode {
    runtime::event(FUNCTION)
}
