use std::process::ExitCode;

use am_service::records::get_follow::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
