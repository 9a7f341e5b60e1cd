use std::process::ExitCode;

use am_service::api::unknown::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
