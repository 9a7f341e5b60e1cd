use std::process::ExitCode;

use am_service::accounts::create_session::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
