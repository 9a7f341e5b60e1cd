use std::process::ExitCode;

use am_service::accounts::delete_session::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
