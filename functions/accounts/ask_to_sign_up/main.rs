use std::process::ExitCode;

use am_service::accounts::ask_to_sign_up::FUNCTION;

fn main() -> ExitCode {
    runtime::http(FUNCTION)
}
