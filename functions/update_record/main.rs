use std::process::ExitCode;

use am_service::update_record::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
