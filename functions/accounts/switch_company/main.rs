use std::process::ExitCode;

use am_service::accounts::switch_company::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
