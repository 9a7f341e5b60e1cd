use std::process::ExitCode;

use am_service::delete_record::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
