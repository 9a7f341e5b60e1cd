use std::process::ExitCode;

use am_service::get_record::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
