use std::process::ExitCode;

use am_service::types::get_schema::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
