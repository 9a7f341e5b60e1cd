use std::process::ExitCode;

use am_service::accounts::get_usage::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
