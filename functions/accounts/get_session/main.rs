use std::process::ExitCode;

use am_service::accounts::get_session::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
