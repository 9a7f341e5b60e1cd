use std::process::ExitCode;

use am_service::create_record::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
