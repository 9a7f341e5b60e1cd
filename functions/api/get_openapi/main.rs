use std::process::ExitCode;

use am_service::api::get_openapi::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
