use std::process::ExitCode;

use am_service::accounts::create_token::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
