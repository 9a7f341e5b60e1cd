use std::process::ExitCode;

use am_service::web::get::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
